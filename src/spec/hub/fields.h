// The fields of a JSON object that nobody has checked, by name: present or not, of the expected type, within
// bounds; every error names the field. Used by what reads published configurations. A view: dies with the
// object. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cistern::spec::hub {

// The names that families have given to one field; the first that is there counts.
using Names = std::initializer_list<std::string_view>;

struct Bounds {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
};

class Fields {
 public:
  Fields(const boost::json::object& object, std::string where) : object_(&object), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  bool has(std::string_view name) const { return value_of(name) != nullptr; }  // null counts as absent

  Result<std::optional<std::uint32_t>> find(Names names, Bounds bounds) const;
  Result<std::uint32_t> require(Names names, Bounds bounds) const;
  Result<std::uint32_t> value_or(Names names, std::uint32_t fallback, Bounds bounds) const;
  Result<std::optional<double>> find_number(Names names) const;  // finite
  Result<bool> flag_or(std::string_view name, bool fallback) const;
  Result<std::optional<std::string>> find_string(std::string_view name) const;
  // At most kMaxItems of them, each within bounds.
  static constexpr std::size_t kMaxItems = 1U << 13U;
  Result<std::optional<std::vector<std::uint32_t>>> find_list(std::string_view name, Bounds bounds) const;
  Result<std::optional<std::vector<std::string>>> find_strings(std::string_view name) const;
  // An object within the object; nothing where the value is anything else.
  std::optional<Fields> find_object(std::string_view name) const;

  std::unexpected<Error> bad(std::string_view name, std::string message) const;
  std::unexpected<Error> missing(std::string_view name) const;

 private:
  const boost::json::value* value_of(std::string_view name) const;
  Result<std::uint32_t> number_in(std::string_view name, const boost::json::value& value,
                                  Bounds bounds) const;

  const boost::json::object* object_;
  std::string where_;
};

}  // namespace cistern::spec::hub
