// Typed, ranged access to the fields of a request in JSON, for the readers of all protocols. What is wrong is
// a kUsage error whose `where` is the field's path ("messages[2].content"). A field that is null counts as
// absent; fields that nobody asks for are ignored. Views: the JSON value must outlive them. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace cistern::serve {

inline constexpr std::size_t kMostJsonDepth = 64;

// One JSON value and nothing behind it, in valid UTF-8, nested at most kMostJsonDepth deep. The error tells
// the offset of what is wrong.
Result<boost::json::value> parse_json(std::string_view text);

// A number as JSON, as short as its own precision allows (0.1F is 0.1); not finite: the nearest finite one.
boost::json::value json_number(float number);

struct Range {
  double min = 0;
  double max = 0;
};

// A value of a request and its path in it.
class Field {
 public:
  Field(const boost::json::value& value, std::string path) : value_(&value), path_(std::move(path)) {}

  const boost::json::value& value() const { return *value_; }
  const std::string& path() const { return path_; }

  Result<bool> boolean() const;
  Result<double> number(Range range) const;
  // A number without a fraction. REQUIRES: min <= max.
  Result<std::int64_t> integer(std::int64_t min, std::int64_t max) const;
  Result<std::string> text() const;
  // In characters, as JSON Schema counts.
  Result<std::string> text_of_length(std::size_t least, std::size_t most) const;
  // One of `allowed`; gives its index.
  Result<std::size_t> one_of(std::span<const std::string_view> allowed) const;
  Result<const boost::json::array*> array(std::size_t most) const;
  Result<const boost::json::object*> object() const;

  bool is_text() const { return value_->is_string(); }
  bool is_array() const { return value_->is_array(); }
  bool is_object() const { return value_->is_object(); }

  Field operator[](std::size_t index) const;  // REQUIRES: is_array() and index < its size

  // An error about this value: "…, not an array"; or any other.
  std::unexpected<Error> wrong_type(std::string_view expected) const;
  std::unexpected<Error> wrong(std::string message, ErrorCode code = ErrorCode::kUsage) const;

 private:
  const boost::json::value* value_;
  std::string path_;
};

// An object of a request.
class Fields {
 public:
  static Result<Fields> of(const Field& field);
  // Of a whole request: it has no path.
  static Result<Fields> of(const boost::json::value& request) { return of(Field(request, {})); }

  const boost::json::object& object() const { return *object_; }
  std::string path_of(std::string_view name) const;

  // Nothing where the field is absent or null.
  std::optional<Field> find(std::string_view name) const;
  Result<Field> require(std::string_view name) const;

  // The field's value; nothing where it is absent or null.
  Result<std::optional<bool>> boolean(std::string_view name) const;
  Result<std::optional<double>> number(std::string_view name, Range range) const;
  Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t min,
                                              std::int64_t max) const;
  Result<std::optional<std::string>> text(std::string_view name) const;

 private:
  Fields(const boost::json::object& object, std::string path) : object_(&object), path_(std::move(path)) {}

  const boost::json::object* object_;
  std::string path_;
};

}  // namespace cistern::serve
