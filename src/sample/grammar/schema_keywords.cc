#include "sample/grammar/schema_keywords.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace cistern::sample::grammar {
namespace {

namespace json = boost::json;

constexpr int kMostNesting = 128;

enum class Kind {
  kAnnotation,
  kSchema,
  kSchemas,    // an array of them
  kItems,      // a schema, or an array of schemas (before 2020-12)
  kSchemaMap,  // by name
  kTypes,
  kEnum,
  kAny,
  kCount,
  kNumber,
  kPattern,
  kText,
  kNames,
  kOnlyFalse,  // true is refused
};

struct KeywordRow {
  std::string_view name;
  Kind kind;
};
constexpr KeywordRow kKeywords[] = {
    {"$schema", Kind::kAnnotation},
    {"$id", Kind::kAnnotation},
    {"$comment", Kind::kAnnotation},
    {"title", Kind::kAnnotation},
    {"description", Kind::kAnnotation},
    {"default", Kind::kAnnotation},
    {"example", Kind::kAnnotation},
    {"examples", Kind::kAnnotation},
    {"deprecated", Kind::kAnnotation},
    {"readOnly", Kind::kAnnotation},
    {"writeOnly", Kind::kAnnotation},
    {"contentEncoding", Kind::kAnnotation},
    {"contentMediaType", Kind::kAnnotation},
    {"discriminator", Kind::kAnnotation},
    {"$ref", Kind::kText},
    {"$defs", Kind::kSchemaMap},
    {"definitions", Kind::kSchemaMap},
    {"type", Kind::kTypes},
    {"enum", Kind::kEnum},
    {"const", Kind::kAny},
    {"allOf", Kind::kSchemas},
    {"anyOf", Kind::kSchemas},
    {"oneOf", Kind::kSchemas},
    {"properties", Kind::kSchemaMap},
    {"patternProperties", Kind::kSchemaMap},
    {"additionalProperties", Kind::kSchema},
    {"unevaluatedProperties", Kind::kOnlyFalse},
    {"propertyNames", Kind::kSchema},
    {"required", Kind::kNames},
    {"minProperties", Kind::kCount},
    {"maxProperties", Kind::kCount},
    {"items", Kind::kItems},
    {"prefixItems", Kind::kSchemas},
    {"additionalItems", Kind::kSchema},
    {"unevaluatedItems", Kind::kOnlyFalse},
    {"minItems", Kind::kCount},
    {"maxItems", Kind::kCount},
    {"uniqueItems", Kind::kAny},
    {"minLength", Kind::kCount},
    {"maxLength", Kind::kCount},
    {"pattern", Kind::kPattern},
    {"format", Kind::kText},
    {"minimum", Kind::kNumber},
    {"maximum", Kind::kNumber},
    {"exclusiveMinimum", Kind::kNumber},
    {"exclusiveMaximum", Kind::kNumber},
    {"multipleOf", Kind::kNumber},
};

constexpr std::string_view kTypeNames[] = {"null",   "boolean", "integer", "number",
                                           "string", "object",  "array"};

bool is_type_name(const json::value& value) {
  return value.is_string() &&
         std::ranges::find(kTypeNames, std::string_view(value.get_string())) != std::end(kTypeNames);
}

bool is_list_of(const json::value& value, bool (*is_element)(const json::value&)) {
  return value.is_array() && std::ranges::all_of(value.get_array(), is_element);
}

bool is_text(const json::value& value) {
  return value.is_string();
}

bool is_count(const json::value& value) {
  if (value.is_double())
    return value.get_double() >= 0 &&
           value.get_double() ==
               static_cast<double>(static_cast<std::uint32_t>(std::min(value.get_double(), 4e9)));
  return value.is_int64() ? value.get_int64() >= 0 : value.is_uint64();
}

// What the value has to be, where it is not that; null: it is right.
const char* wrong_value(Kind kind, const json::value& value) {
  switch (kind) {
    case Kind::kTypes:
      return is_type_name(value) || is_list_of(value, is_type_name) ? nullptr
                                                                    : "a type of JSON or a list of types";
    case Kind::kEnum:
      return value.is_array() ? nullptr : "a list of values";
    case Kind::kCount:
      return is_count(value) ? nullptr : "a whole number of at least 0";
    case Kind::kNumber:
      return value.is_number() ? nullptr : "a number";
    case Kind::kPattern:
    case Kind::kText:
      return value.is_string() ? nullptr : "a string";
    case Kind::kNames:
      return is_list_of(value, is_text) ? nullptr : "a list of names";
    case Kind::kSchemaMap:
      return value.is_object() ? nullptr : "an object of schemas";
    case Kind::kSchemas:
      return value.is_array() && !value.get_array().empty() ? nullptr : "a list of schemas";
    default:
      return nullptr;
  }
}

Result<void> check(const json::value& schema, const std::string& where, int nesting);

Result<void> check_list(const json::value& schemas, const std::string& where, int nesting) {
  for (std::size_t i = 0; i < schemas.get_array().size(); ++i)
    CISTERN_TRY_VOID(check(schemas.get_array()[i], below(where, std::to_string(i)), nesting));
  return {};
}

Result<void> check_keyword(std::string_view name, const json::value& value, const std::string& where,
                           int nesting) {
  if (name.starts_with("x-")) return {};
  const auto* row = std::ranges::find(kKeywords, name, &KeywordRow::name);
  if (row == std::end(kKeywords))
    return fail(ErrorCode::kUnsupported, fmt::format("the keyword \"{}\" is not supported", name), where);
  if (const char* right = wrong_value(row->kind, value))
    return fail(ErrorCode::kFormat, fmt::format("\"{}\" must be {}", name, right), where);
  switch (row->kind) {
    case Kind::kSchema:
      return check(value, where, nesting);
    case Kind::kSchemas:
      return check_list(value, where, nesting);
    case Kind::kItems:
      return value.is_array() ? check_list(value, where, nesting) : check(value, where, nesting);
    case Kind::kSchemaMap:
      for (const auto& [key, member] : value.get_object())
        CISTERN_TRY_VOID(check(member, below(where, key), nesting));
      return {};
    case Kind::kOnlyFalse:
      if (value == json::value(false)) return {};
      return fail(ErrorCode::kUnsupported, fmt::format("\"{}\" is supported only with false", name), where);
    default:
      return {};
  }
}

Result<void> check(const json::value& schema, const std::string& where, int nesting) {
  if (schema.is_bool()) return {};
  if (!schema.is_object())
    return fail(ErrorCode::kFormat, "a schema must be an object, true or false", where);
  if (nesting >= kMostNesting)
    return fail(ErrorCode::kUnsupported, fmt::format("schemas nested more than {} deep", kMostNesting),
                where);
  const json::object& object = schema.get_object();
  for (const auto& [name, value] : object)
    CISTERN_TRY_VOID(check_keyword(name, value, below(where, name), nesting + 1));
  return {};
}

}  // namespace

std::string below(const std::string& where, std::string_view name) {
  std::string out = where + '/';
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

Result<void> check_keywords(const boost::json::value& schema, const std::string& where) {
  return check(schema, where, 0);
}

}  // namespace cistern::sample::grammar
