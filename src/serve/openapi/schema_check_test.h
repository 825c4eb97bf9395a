// As much of JSON Schema as the description of the interface uses, for the test that holds it against the
// readers. A keyword that is not known here fails the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace cistern::serve::openapi {

class SchemaCheck {
 public:
  // `document` is kept by reference.
  explicit SchemaCheck(const boost::json::value& document) : document_(document) {}

  bool accepts(const boost::json::value& schema, const boost::json::value& value) const {
    const auto& keywords = schema.as_object();
    return std::ranges::all_of(keywords, [&](const auto& keyword) {
      if (keyword.key() == "additionalProperties") return holds_of_others(keywords, keyword.value(), value);
      return holds(keyword.key(), keyword.value(), value);
    });
  }

  // Of "#/components/schemas/…".
  const boost::json::value& resolve(std::string_view reference) const {
    return document_.at_pointer(reference.substr(1));
  }

 private:
  using Value = boost::json::value;

  static bool is_integer(const Value& value) {
    return value.is_int64() || value.is_uint64() ||
           (value.is_double() && value.get_double() == static_cast<double>(static_cast<std::int64_t>(
                                                           std::clamp(value.get_double(), -9e18, 9e18))));
  }

  static bool is_same(const Value& a, const Value& b) {  // 1.0 is 1
    return a.is_number() && b.is_number() ? a.to_number<double>() == b.to_number<double>() : a == b;
  }

  static bool is_type(std::string_view type, const Value& value) {
    return (type == "null" && value.is_null()) || (type == "boolean" && value.is_bool()) ||
           (type == "number" && value.is_number()) || (type == "integer" && is_integer(value)) ||
           (type == "string" && value.is_string()) || (type == "array" && value.is_array()) ||
           (type == "object" && value.is_object());
  }

  static std::size_t length(const Value& text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text.get_string(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  }

  // The patterns that are used, by hand.
  static bool matches(std::string_view pattern, std::string_view text) {
    const bool has_digit = text.find_first_of("0123456789") != std::string_view::npos;
    if (pattern == "^[0-9]{1,9}$")
      return has_digit && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string_view::npos;
    EXPECT_EQ(pattern, "^[-+.0-9hmsuµn]*[0-9][-+.0-9hmsuµn]*$");
    return has_digit && text.find_first_not_of("-+.0123456789hmsuµn") == std::string_view::npos;
  }

  // Members that "properties" beside it does not name.
  bool holds_of_others(const boost::json::object& keywords, const Value& rule, const Value& value) const {
    const Value* properties = keywords.if_contains("properties");
    return !value.is_object() || std::ranges::all_of(value.get_object(), [&](const auto& member) {
      if (properties != nullptr && properties->as_object().contains(member.key())) return true;
      return rule.is_bool() ? rule.get_bool() : accepts(rule, member.value());
    });
  }

  bool holds(std::string_view keyword, const Value& rule, const Value& value) const {
    if (keyword == "$ref") return accepts(resolve(rule.as_string()), value);
    if (keyword == "type" && rule.is_string()) return is_type(rule.as_string(), value);
    if (keyword == "type")
      return std::ranges::any_of(rule.as_array(),
                                 [&](const Value& t) { return is_type(t.as_string(), value); });
    if (keyword == "const") return is_same(rule, value);
    if (keyword == "enum")
      return std::ranges::any_of(rule.as_array(), [&](const Value& v) { return is_same(v, value); });
    if (keyword == "anyOf")
      return std::ranges::any_of(rule.as_array(), [&](const Value& s) { return accepts(s, value); });
    if (keyword == "allOf")
      return std::ranges::all_of(rule.as_array(), [&](const Value& s) { return accepts(s, value); });
    if (keyword == "not") return !accepts(rule, value);
    if (keyword == "description" || keyword == "default") return true;
    return holds_of_numbers(keyword, rule, value);
  }

  bool holds_of_numbers(std::string_view keyword, const Value& rule, const Value& value) const {
    const auto number = [](const Value& v) { return v.to_number<double>(); };
    if (keyword == "minimum") return !value.is_number() || number(value) >= number(rule);
    if (keyword == "maximum") return !value.is_number() || number(value) <= number(rule);
    const auto bound = rule.is_int64() ? static_cast<std::size_t>(rule.get_int64()) : 0;
    if (keyword == "minLength") return !value.is_string() || length(value) >= bound;
    if (keyword == "maxLength") return !value.is_string() || length(value) <= bound;
    if (keyword == "minItems") return !value.is_array() || value.get_array().size() >= bound;
    if (keyword == "maxItems") return !value.is_array() || value.get_array().size() <= bound;
    if (keyword == "maxProperties") return !value.is_object() || value.get_object().size() <= bound;
    return holds_of_parts(keyword, rule, value);
  }

  bool holds_of_parts(std::string_view keyword, const Value& rule, const Value& value) const {
    if (keyword == "items")
      return !value.is_array() ||
             std::ranges::all_of(value.get_array(), [&](const Value& item) { return accepts(rule, item); });
    if (keyword == "properties")
      return !value.is_object() || std::ranges::all_of(rule.as_object(), [&](const auto& property) {
        const Value* member = value.get_object().if_contains(property.key());
        return member == nullptr || accepts(property.value(), *member);
      });
    if (keyword == "required")
      return !value.is_object() || std::ranges::all_of(rule.as_array(), [&](const Value& name) {
        return value.get_object().contains(name.as_string());
      });
    if (keyword == "propertyNames")
      return !value.is_object() || std::ranges::all_of(value.get_object(), [&](const auto& member) {
        return accepts(rule, Value(member.key()));
      });
    if (keyword == "pattern") return !value.is_string() || matches(rule.as_string(), value.get_string());
    ADD_FAILURE() << "a keyword that is not known here: " << keyword;
    return false;
  }

  const Value& document_;
};

}  // namespace cistern::serve::openapi
