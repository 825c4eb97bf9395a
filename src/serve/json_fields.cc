#include "serve/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parser.hpp>
#include <charconv>
#include <cmath>
#include <limits>

namespace cistern::serve {
namespace {

namespace json = boost::json;

std::string_view name_of(json::kind kind) {
  switch (kind) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

template <class T>
Result<std::optional<T>> present(Result<T> value) {
  if (!value) return std::unexpected(std::move(value).error());
  return std::optional<T>(*std::move(value));
}

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMostJsonDepth;
  json::parser parser({}, options);
  boost::system::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (error == json::error::too_deep)
    return fail(ErrorCode::kUsage, fmt::format("the JSON is nested deeper than {} levels", kMostJsonDepth));
  if (error == json::error::incomplete)
    return fail(ErrorCode::kUsage, fmt::format("the JSON ends too early, at offset {}", text.size()));
  if (error || read < text.size())
    return fail(ErrorCode::kUsage, fmt::format("the body is no valid JSON: {} at offset {}",
                                               error ? error.message() : "more text", read));
  return parser.release();
}

json::value json_number(float number) {
  if (std::isnan(number)) return 0.0;
  const float most = std::numeric_limits<float>::max();
  const std::string digits = fmt::format("{}", std::fmin(std::fmax(number, -most), most));
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Result<bool> Field::boolean() const {
  if (!value_->is_bool()) return wrong_type("a boolean");
  return value_->get_bool();
}

Result<double> Field::number(Range range) const {
  if (!value_->is_number()) return wrong_type("a number");
  const double number = value_->to_number<double>();
  if (!(number >= range.min && number <= range.max))
    return wrong(fmt::format("has to be a number from {} to {}", range.min, range.max));
  return number;
}

Result<std::int64_t> Field::integer(std::int64_t min, std::int64_t max) const {
  if (!value_->is_number()) return wrong_type("an integer");
  // 1.0 is an integer, as JSON Schema has it.
  boost::system::error_code error;
  const auto integer = value_->to_number<std::int64_t>(error);
  if (error || integer < min || integer > max)
    return wrong(fmt::format("has to be an integer from {} to {}", min, max));
  return integer;
}

Result<std::string> Field::text() const {
  if (!value_->is_string()) return wrong_type("a string");
  return std::string(value_->get_string());
}

Result<std::string> Field::text_of_length(std::size_t least, std::size_t most) const {
  CISTERN_TRY(std::string text, this->text());
  const auto length = static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  if (length < least || length > most)
    return wrong(fmt::format("has to have {} to {} characters", least, most));
  return text;
}

Result<std::size_t> Field::one_of(std::span<const std::string_view> allowed) const {
  if (!value_->is_string()) return wrong_type("a string");
  for (std::size_t i = 0; i < allowed.size(); ++i)
    if (allowed[i] == value_->get_string()) return i;
  return wrong(fmt::format("has to be one of: {}", fmt::join(allowed, ", ")));
}

Result<const json::array*> Field::array(std::size_t most) const {
  if (!value_->is_array()) return wrong_type("an array");
  const json::array& array = value_->get_array();
  if (array.size() > most)
    return wrong(fmt::format("has {} elements, at most {} are allowed", array.size(), most));
  return &array;
}

Result<const json::object*> Field::object() const {
  if (!value_->is_object()) return wrong_type("an object");
  return &value_->get_object();
}

Field Field::operator[](std::size_t index) const {
  return {value_->get_array()[index], fmt::format("{}[{}]", path_, index)};
}

std::unexpected<Error> Field::wrong_type(std::string_view expected) const {
  return wrong(fmt::format("has to be {}, not {}", expected, name_of(value_->kind())));
}

std::unexpected<Error> Field::wrong(std::string message, ErrorCode code) const {
  return fail(code, std::move(message), path_);
}

Result<Fields> Fields::of(const Field& field) {
  if (!field.is_object() && field.path().empty())
    return fail(ErrorCode::kUsage, "the body has to be a JSON object");
  CISTERN_TRY(const json::object* object, field.object());
  return Fields(*object, field.path());
}

std::string Fields::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

std::optional<Field> Fields::find(std::string_view name) const {
  const json::value* value = object_->if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return Field(*value, path_of(name));
}

Result<Field> Fields::require(std::string_view name) const {
  const json::value* value = object_->if_contains(name);
  if (value == nullptr) return fail(ErrorCode::kUsage, "is missing", path_of(name));
  return Field(*value, path_of(name));
}

Result<std::optional<bool>> Fields::boolean(std::string_view name) const {
  const auto field = find(name);
  return field ? present(field->boolean()) : std::nullopt;
}

Result<std::optional<double>> Fields::number(std::string_view name, Range range) const {
  const auto field = find(name);
  return field ? present(field->number(range)) : std::nullopt;
}

Result<std::optional<std::int64_t>> Fields::integer(std::string_view name, std::int64_t min,
                                                    std::int64_t max) const {
  const auto field = find(name);
  return field ? present(field->integer(min, max)) : std::nullopt;
}

Result<std::optional<std::string>> Fields::text(std::string_view name) const {
  const auto field = find(name);
  return field ? present(field->text()) : std::nullopt;
}

}  // namespace cistern::serve
