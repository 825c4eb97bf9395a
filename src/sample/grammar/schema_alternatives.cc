#include "sample/grammar/schema_alternatives.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "sample/grammar/schema_keywords.h"
#include "sample/grammar/schema_merge.h"

namespace cistern::sample::grammar {
namespace {

namespace json = boost::json;

constexpr int kMostNesting = 64;
constexpr std::size_t kMostAlternatives = 256;
constexpr std::size_t kMostCopied = 2'000'000;

// What has been said in other ways, or says nothing of validity.
constexpr std::string_view kLeftOut[] = {
    "$ref",       "$defs",           "definitions",      "allOf",
    "anyOf",      "oneOf",           "$schema",          "$id",
    "$comment",   "title",           "default",          "example",
    "examples",   "description",     "readOnly",         "writeOnly",
    "deprecated", "contentEncoding", "contentMediaType", "discriminator"};

json::object keywords_alone(const json::object& schema) {
  json::object out;
  for (const auto& [name, value] : schema) {
    const bool left_out = std::ranges::find(kLeftOut, std::string_view(name)) != std::end(kLeftOut);
    if (!left_out && !std::string_view(name).starts_with("x-")) out[name] = value;
  }
  return out;
}

std::size_t values_in(const json::value& value) {
  std::size_t count = 1;
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) count += values_in(member);
  } else if (const auto* array = value.if_array()) {
    for (const json::value& element : *array) count += values_in(element);
  }
  return count;
}

std::string unescaped(std::string_view fragment) {
  std::string out;
  for (std::size_t i = 0; i < fragment.size(); ++i) {
    unsigned value = 0;
    const bool escape = fragment[i] == '%' && i + 2 < fragment.size() &&
                        std::sscanf(std::string(fragment.substr(i + 1, 2)).c_str(), "%2x", &value) == 1;
    out += escape ? static_cast<char>(value) : fragment[i];
    if (escape) i += 2;
  }
  return out;
}

}  // namespace

std::string SchemaDocument::place_of(const json::string& reference) const {
  return where_ + unescaped(std::string_view(reference).substr(1));
}

Result<const json::value*> SchemaDocument::resolve(const json::string& reference, const std::string& where) {
  const std::string_view text = reference;
  if (!text.starts_with('#') || (text.size() > 1 && text[1] != '/')) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("the reference \"{}\": only those that begin with #/ are supported", text),
                where);
  }
  const std::string pointer = unescaped(text.substr(1));
  boost::system::error_code error;
  const json::value* found = pointer.empty() ? &root_ : root_.find_pointer(pointer, error);
  if (found == nullptr || error)
    return fail(ErrorCode::kFormat, fmt::format("the reference \"{}\" leads nowhere", text), where);
  if (checked_.emplace(pointer).second) CISTERN_TRY_VOID(check_keywords(*found, where_ + pointer));
  return found;
}

Result<std::vector<Alternative>> SchemaDocument::alternatives(const json::value& schema,
                                                              const std::string& where) {
  return expand(schema, where, 0);
}

Result<void> SchemaDocument::charge(const json::value& copied, const std::string& where) {
  copied_ += values_in(copied);
  if (copied_ <= kMostCopied) return {};
  return fail(ErrorCode::kUnsupported, "the schema is too large, or its parts contain one another too often",
              where);
}

// Each with each.
Result<std::vector<Alternative>> SchemaDocument::cross(const Alternatives& some, const Alternatives& others,
                                                       const std::string& where) {
  Alternatives out;
  for (const Alternative& a : some) {
    for (const Alternative& b : others) {
      CISTERN_TRY(auto merged, merge(a.schema, b.schema, where));
      if (merged) {
        CISTERN_TRY_VOID(charge(*merged, where));
        out.push_back({*std::move(merged), a.schema.empty() ? b.where : a.where});
      }
      if (out.size() > kMostAlternatives)
        return fail(ErrorCode::kUnsupported, fmt::format("more than {} alternatives", kMostAlternatives),
                    where);
    }
  }
  return out;
}

Result<std::vector<Alternative>> SchemaDocument::expand(const json::value& schema, const std::string& where,
                                                        int nesting) {
  if (nesting > kMostNesting) {
    return fail(ErrorCode::kUnsupported, "the schema is a part of itself, or nested too deeply", where);
  }
  if (schema.is_bool()) return schema.get_bool() ? Alternatives{{{}, where}} : Alternatives{};
  const json::object& object = schema.as_object();
  Alternatives out{{keywords_alone(object), where}};
  CISTERN_TRY_VOID(charge(out[0].schema, where));
  if (const json::value* reference = object.if_contains("$ref")) {
    CISTERN_TRY(const json::value* target, resolve(reference->get_string(), below(where, "$ref")));
    CISTERN_TRY(const Alternatives more, expand(*target, place_of(reference->get_string()), nesting + 1));
    CISTERN_TRY(out, cross(out, more, where));
  }
  if (const json::value* parts = object.if_contains("allOf")) {
    const std::string place = below(where, "allOf");
    for (std::size_t i = 0; i < parts->get_array().size(); ++i) {
      CISTERN_TRY(const Alternatives more,
                  expand(parts->get_array()[i], below(place, std::to_string(i)), nesting + 1));
      CISTERN_TRY(out, cross(out, more, place));
    }
  }
  if (const json::value* parts = object.if_contains("anyOf")) {
    CISTERN_TRY(out, expand_any_of(out, parts->get_array(), below(where, "anyOf"), nesting + 1));
  }
  if (const json::value* parts = object.if_contains("oneOf")) {
    CISTERN_TRY(out, expand_one_of(out, parts->get_array(), below(where, "oneOf"), nesting + 1));
  }
  return out;
}

Result<std::vector<Alternative>> SchemaDocument::expand_any_of(const Alternatives& base,
                                                               const json::array& schemas,
                                                               const std::string& where, int nesting) {
  Alternatives all;
  for (std::size_t i = 0; i < schemas.size(); ++i) {
    CISTERN_TRY(Alternatives more, expand(schemas[i], below(where, std::to_string(i)), nesting));
    all.insert(all.end(), more.begin(), more.end());
    if (all.size() > kMostAlternatives)
      return fail(ErrorCode::kUnsupported, fmt::format("more than {} alternatives", kMostAlternatives),
                  where);
  }
  return cross(base, all, where);
}

Result<std::vector<Alternative>> SchemaDocument::expand_one_of(const Alternatives& base,
                                                               const json::array& schemas,
                                                               const std::string& where, int nesting) {
  Alternatives all;
  std::vector<std::size_t> origins;
  for (std::size_t i = 0; i < schemas.size(); ++i) {
    CISTERN_TRY(const Alternatives more, expand(schemas[i], below(where, std::to_string(i)), nesting));
    CISTERN_TRY(const Alternatives merged, cross(base, more, where));
    for (const Alternative& alternative : merged) {
      for (std::size_t other = 0; other < all.size(); ++other) {
        if (origins[other] == i || are_apart(all[other].schema, alternative.schema)) continue;
        return fail(
            ErrorCode::kUnsupported,
            fmt::format("a value may satisfy both alternatives {} and {} of oneOf; use anyOf, or a property "
                        "that tells them apart by a constant",
                        origins[other], i),
            where);
      }
    }
    all.insert(all.end(), merged.begin(), merged.end());
    origins.resize(all.size(), i);
    if (all.size() > kMostAlternatives)
      return fail(ErrorCode::kUnsupported, fmt::format("more than {} alternatives", kMostAlternatives),
                  where);
  }
  return all;
}

}  // namespace cistern::sample::grammar
