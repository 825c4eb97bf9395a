// A small validator of JSON Schema, written for these tests alone and without anything of grammar/: it looks
// at whole values, so that it cannot share a mistake with what generates text. Knows the keywords that the
// tests use, ECMA patterns by std::regex. Test code only.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <regex>
#include <string>

#include "text/utf8.h"

namespace cistern::sample {

class SchemaValidator {
 public:
  explicit SchemaValidator(const boost::json::value& root) : root_(root) {}
  bool valid(const boost::json::value& value) const { return valid(root_, value); }

 private:
  using Value = boost::json::value;
  using Object = boost::json::object;

  static bool is_integer(const Value& value) {
    return value.is_int64() || value.is_uint64() ||
           (value.is_double() && std::floor(value.get_double()) == value.get_double());
  }

  static bool has_type(const Value& value, std::string_view type) {
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return is_integer(value);
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "object") return value.is_object();
    return value.is_array();
  }

  static bool equal(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
    return a == b;
  }

  static double number(const Object& schema, const char* keyword, double otherwise) {
    const Value* value = schema.if_contains(keyword);
    return value == nullptr ? otherwise : value->to_number<double>();
  }

  bool valid(const Value& schema, const Value& value) const {
    if (schema.is_bool()) return schema.get_bool();
    const Object& s = schema.get_object();
    if (const Value* reference = s.if_contains("$ref")) {
      const std::string_view pointer = reference->get_string();
      if (!valid(pointer == "#" ? root_ : root_.at_pointer(pointer.substr(1)), value)) return false;
    }
    return valid_type(s, value) && valid_constants(s, value) && valid_parts(s, value) &&
           (!value.is_string() || valid_string(s, value.get_string())) &&
           (!value.is_number() || valid_number(s, value.to_number<double>())) &&
           (!value.is_array() || valid_array(s, value.get_array())) &&
           (!value.is_object() || valid_object(s, value.get_object()));
  }

  bool valid_type(const Object& s, const Value& value) const {
    const Value* type = s.if_contains("type");
    if (type == nullptr) return true;
    if (type->is_string()) return has_type(value, type->get_string());
    return std::ranges::any_of(type->get_array(),
                               [&](const Value& one) { return has_type(value, one.get_string()); });
  }

  bool valid_constants(const Object& s, const Value& value) const {
    if (const Value* constant = s.if_contains("const"); constant != nullptr && !equal(*constant, value))
      return false;
    const Value* values = s.if_contains("enum");
    return values == nullptr ||
           std::ranges::any_of(values->get_array(), [&](const Value& one) { return equal(one, value); });
  }

  bool valid_parts(const Object& s, const Value& value) const {
    const auto count = [&](const char* keyword) {
      const Value* parts = s.if_contains(keyword);
      if (parts == nullptr) return std::ptrdiff_t{-1};
      return std::ranges::count_if(parts->get_array(), [&](const Value& part) { return valid(part, value); });
    };
    const Value* all = s.if_contains("allOf");
    return count("anyOf") != 0 && (count("oneOf") == 1 || count("oneOf") == -1) &&
           (all == nullptr || count("allOf") == static_cast<std::ptrdiff_t>(all->get_array().size()));
  }

  static std::wstring wide(std::string_view text) {
    std::wstring out;
    while (!text.empty()) {
      const text::CodePoint c = text::decode_utf8(text);
      out += static_cast<wchar_t>(c.value);
      text.remove_prefix(c.length);
    }
    return out;
  }
  static bool matches(std::string_view pattern, std::string_view text) {
    return std::regex_search(wide(text), std::wregex(wide(pattern)));
  }

  static bool valid_string(const Object& s, const boost::json::string& text) {
    const auto length =
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (static_cast<double>(length) < number(s, "minLength", 0) ||
        static_cast<double>(length) > number(s, "maxLength", 1e300))
      return false;
    const Value* pattern = s.if_contains("pattern");
    return pattern == nullptr || matches(pattern->get_string(), text);
  }

  static bool valid_number(const Object& s, double x) {
    const double multiple = number(s, "multipleOf", 0);
    if (multiple != 0 && std::abs(x / multiple - std::round(x / multiple)) > 1e-6) return false;
    return x >= number(s, "minimum", -1e300) && x <= number(s, "maximum", 1e300) &&
           x > number(s, "exclusiveMinimum", -1e300) && x < number(s, "exclusiveMaximum", 1e300);
  }

  bool valid_array(const Object& s, const boost::json::array& items) const {
    const auto size = static_cast<double>(items.size());
    if (size < number(s, "minItems", 0) || size > number(s, "maxItems", 1e300)) return false;
    const Value* prefix = s.if_contains("prefixItems");
    const std::size_t first = prefix == nullptr ? 0 : prefix->get_array().size();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value* schema = i < first ? &prefix->get_array()[i] : s.if_contains("items");
      if (schema != nullptr && !valid(*schema, items[i])) return false;
    }
    return true;
  }

  bool valid_object(const Object& s, const Object& object) const {
    const auto size = static_cast<double>(object.size());
    if (size < number(s, "minProperties", 0) || size > number(s, "maxProperties", 1e300)) return false;
    if (const Value* required = s.if_contains("required")) {
      for (const Value& name : required->get_array()) {
        if (!object.contains(name.get_string())) return false;
      }
    }
    for (const auto& [key, value] : object) {
      bool named = false;
      if (const Value* properties = s.if_contains("properties")) {
        const Value* schema = properties->get_object().if_contains(key);
        named = schema != nullptr;
        if (named && !valid(*schema, value)) return false;
      }
      if (const Value* patterns = s.if_contains("patternProperties")) {
        for (const auto& [pattern, schema] : patterns->get_object()) {
          if (!matches(pattern, key)) continue;
          named = true;
          if (!valid(schema, value)) return false;
        }
      }
      const Value* others = s.if_contains("additionalProperties");
      if (!named && others != nullptr && !valid(*others, value)) return false;
      const Value* names = s.if_contains("propertyNames");
      if (names != nullptr && !valid(*names, Value(key))) return false;
    }
    return true;
  }

  const Value& root_;
};

}  // namespace cistern::sample
