#include "sample/grammar/schema_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sample/grammar/schema_keywords.h"

namespace cistern::sample::grammar {
namespace {

namespace json = boost::json;

struct TypeRow {
  std::string_view name;
  Types types;
};
constexpr TypeRow kTypes[] = {
    {"null", kNullType},       {"boolean", kBooleanType},
    {"integer", kIntegerType}, {"number", kIntegerType | kFractionType},
    {"string", kStringType},   {"object", kObjectType},
    {"array", kArrayType},
};

// What a keyword says of a type when no type is given.
constexpr TypeRow kKeywordTypes[] = {
    {"properties", kObjectType},
    {"patternProperties", kObjectType},
    {"additionalProperties", kObjectType},
    {"propertyNames", kObjectType},
    {"required", kObjectType},
    {"minProperties", kObjectType},
    {"maxProperties", kObjectType},
    {"items", kArrayType},
    {"prefixItems", kArrayType},
    {"minItems", kArrayType},
    {"maxItems", kArrayType},
    {"minLength", kStringType},
    {"maxLength", kStringType},
    {"pattern", kStringType},
    {"format", kStringType},
    {"minimum", kIntegerType | kFractionType},
    {"maximum", kIntegerType | kFractionType},
    {"exclusiveMinimum", kIntegerType | kFractionType},
    {"exclusiveMaximum", kIntegerType | kFractionType},
    {"multipleOf", kIntegerType | kFractionType},
};

template <std::size_t n>
Types find_types(const TypeRow (&rows)[n], std::string_view name) {
  const auto* row = std::ranges::find(rows, name, &TypeRow::name);
  return row == std::end(rows) ? 0 : row->types;
}

json::array names_of(Types types) {
  json::array names;
  for (const TypeRow& row : kTypes) {
    if ((types & row.types) != row.types) continue;
    names.emplace_back(row.name);
    types &= ~row.types;
  }
  return names;
}

double number(const json::value& value) {
  return value.is_double()   ? value.get_double()
         : value.is_uint64() ? static_cast<double>(value.get_uint64())
                             : static_cast<double>(value.get_int64());
}

json::array as_list(const json::value& value) {
  return value.is_array() ? value.get_array() : json::array{value};
}

json::value both(const json::value& a, const json::value& b) {
  if (a == b) return a;
  return json::object{{"allOf", json::array{a, b}}};
}

bool contains(const json::array& list, const json::value& value) {
  return std::ranges::find(list, value) != list.end();
}

json::array united(const json::array& a, const json::array& b) {
  json::array out = a;
  for (const json::value& value : b) {
    if (!contains(out, value)) out.push_back(value);
  }
  return out;
}

bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// A keyword that both have; its value in `out` is the one of the first. False: contradictory.
Result<bool> join_keyword(json::value& mine, std::string_view name, const json::value& other,
                          const std::string& where) {
  if (mine == other) return true;
  if (is_any_of(name, {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})) {
    if (number(other) > number(mine)) mine = other;
  } else if (is_any_of(name, {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})) {
    if (number(other) < number(mine)) mine = other;
  } else if (name == "required" || name == "pattern" || name == "format") {
    mine = united(as_list(mine), as_list(other));
  } else if (name == "enum") {
    json::array common;
    for (const json::value& value : mine.get_array()) {
      if (contains(other.get_array(), value)) common.push_back(value);
    }
    mine = std::move(common);
  } else if (name == "const") {
    return false;
  } else if (is_any_of(name, {"items", "additionalProperties", "additionalItems", "propertyNames"}) &&
             !mine.is_array() && !other.is_array()) {
    mine = both(mine, other);
  } else if (name == "uniqueItems") {
    mine = true;
  } else {
    return fail(ErrorCode::kUnsupported, fmt::format("two different \"{}\" in one schema", name), where);
  }
  return true;
}

// Properties that only one of two schemas names are what the other one says of properties that it does not.
void join_properties(json::object& out, const json::object& a, const json::object& b) {
  if (!a.contains("properties") && !b.contains("properties")) return;
  static const json::object none;
  const auto named = [](const json::object& schema) -> const json::object& {
    const json::value* properties = schema.if_contains("properties");
    return properties == nullptr ? none : properties->get_object();
  };
  const auto with_others = [](const json::value& mine, const json::object& schema) {
    const json::value* others = schema.if_contains("additionalProperties");
    return others == nullptr || *others == json::value(true) ? mine : both(mine, *others);
  };
  json::object properties;
  for (const auto& [key, value] : named(a)) {
    const json::value* other = named(b).if_contains(key);
    properties[key] = other == nullptr ? with_others(value, b) : both(value, *other);
  }
  for (const auto& [key, value] : named(b)) {
    if (!named(a).contains(key)) properties[key] = with_others(value, a);
  }
  out["properties"] = std::move(properties);
}

json::array values_of(const json::object& schema) {
  if (const json::value* value = schema.if_contains("const")) return {*value};
  if (const json::value* values = schema.if_contains("enum")) return values->get_array();
  return {};
}

Types types_with_values(const json::object& schema) {
  Types types = types_of(schema);
  const json::array values = values_of(schema);
  if (values.empty()) return types;
  Types of_values = 0;
  for (const json::value& value : values) of_values |= type_of_value(value);
  return types & of_values;
}

bool have_other_values(const json::object& a, const json::object& b) {
  const json::array mine = values_of(a), others = values_of(b);
  return !mine.empty() && !others.empty() &&
         std::ranges::none_of(mine, [&](const json::value& value) { return contains(others, value); });
}

const json::object* property(const json::object& schema, std::string_view name) {
  const json::value* properties = schema.if_contains("properties");
  const json::value* found = properties == nullptr ? nullptr : properties->get_object().if_contains(name);
  return found == nullptr ? nullptr : found->if_object();
}

json::array required_of(const json::object& schema) {
  const json::value* names = schema.if_contains("required");
  return names == nullptr ? json::array() : names->get_array();
}

// Whether no object that is generated from `schema` has this property.
bool never_has(const json::object& schema, const json::value& name) {
  const json::value* properties = schema.if_contains("properties");
  if (properties == nullptr || schema.contains("patternProperties")) return false;
  const json::value* others = schema.if_contains("additionalProperties");
  const bool closed = others == nullptr || *others == json::value(false);
  return closed && !properties->get_object().contains(name.get_string()) &&
         !contains(required_of(schema), name);
}

bool forbids(const json::object& schema, const json::value& name) {
  const json::value* others = schema.if_contains("additionalProperties");
  return never_has(schema, name) && others != nullptr && *others == json::value(false);
}

bool are_other_objects(const json::object& a, const json::object& b) {
  bool a_lacks = false, b_lacks = false;  // what the other one requires
  for (const json::value& name : required_of(a)) {
    if (forbids(b, name)) return true;
    b_lacks = b_lacks || never_has(b, name);
    const json::object* mine = property(a, name.get_string());
    const json::object* other = property(b, name.get_string());
    const bool in_both = contains(required_of(b), name) && mine != nullptr && other != nullptr;
    if (in_both && have_other_values(*mine, *other)) return true;
  }
  for (const json::value& name : required_of(b)) {
    if (forbids(a, name)) return true;
    a_lacks = a_lacks || never_has(a, name);
  }
  return a_lacks && b_lacks;
}

}  // namespace

Types type_of_value(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return kNullType;
    case json::kind::bool_:
      return kBooleanType;
    case json::kind::int64:
    case json::kind::uint64:
      return kIntegerType;
    case json::kind::double_:
      return value.get_double() == static_cast<double>(
                                       static_cast<std::int64_t>(std::clamp(value.get_double(), -9e15, 9e15)))
                 ? kIntegerType
                 : kFractionType;
    case json::kind::string:
      return kStringType;
    case json::kind::object:
      return kObjectType;
    case json::kind::array:
      return kArrayType;
  }
  return 0;
}

Types types_of(const json::object& schema) {
  Types types = 0;
  if (const json::value* given = schema.if_contains("type")) {
    for (const json::value& name : as_list(*given)) types |= find_types(kTypes, name.get_string());
    return types;
  }
  for (const auto& [name, value] : schema) types |= find_types(kKeywordTypes, name);
  return types == 0 || schema.contains("enum") || schema.contains("const") ? kAnyType : types;
}

Result<std::optional<json::object>> merge(const json::object& a, const json::object& b,
                                          const std::string& where) {
  const bool has_patterns = a.contains("patternProperties") || b.contains("patternProperties");
  if (has_patterns &&
      (a.contains("properties") || b.contains("properties") || a.contains("additionalProperties") ||
       b.contains("additionalProperties")) &&
      !a.empty() && !b.empty()) {
    return fail(ErrorCode::kUnsupported,
                "patternProperties and other properties in schemas that hold together", where);
  }
  json::object out = a;
  for (const auto& [name, value] : b) {
    if (name == "properties" || name == "type") continue;
    json::value* mine = out.if_contains(name);
    if (mine == nullptr) {
      out[name] = value;
      continue;
    }
    CISTERN_TRY(const bool possible, join_keyword(*mine, name, value, below(where, name)));
    if (!possible) return std::nullopt;
  }
  join_properties(out, a, b);
  if (b.contains("type") && a.contains("type")) {
    out["type"] = names_of(types_of(a) & types_of(b));
  } else if (b.contains("type")) {
    out["type"] = b.at("type");
  }
  return out;
}

bool are_apart(const json::object& a, const json::object& b) {
  const Types common = types_with_values(a) & types_with_values(b);
  return common == 0 || have_other_values(a, b) || (common == kObjectType && are_other_objects(a, b));
}

}  // namespace cistern::sample::grammar
