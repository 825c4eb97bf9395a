// The keywords of objects. Members come in the order in which the schema has them, then those that it does
// not name.
#include <fmt/format.h>

#include <algorithm>

#include "sample/grammar/regex.h"
#include "sample/grammar/schema_compiler.h"
#include "sample/grammar/schema_keywords.h"

namespace cistern::sample::grammar {
namespace {

namespace json = boost::json;

const json::object& object_at(const json::object& schema, std::string_view keyword) {
  static const json::object none;
  const json::value* found = schema.if_contains(keyword);
  return found == nullptr ? none : found->get_object();
}

std::vector<std::string_view> required_names(const json::object& schema) {
  std::vector<std::string_view> names;
  if (const json::value* required = schema.if_contains("required")) {
    for (const json::value& name : required->get_array()) names.emplace_back(name.get_string());
  }
  return names;
}

// What the schema says of members that it does not name; null: nothing.
const json::value* others_of(const json::object& schema) {
  return schema.if_contains("additionalProperties");
}

}  // namespace

Result<std::vector<SchemaCompiler::PatternRow>> SchemaCompiler::patterns_of(const Object& schema,
                                                                            const std::string& where) {
  std::vector<PatternRow> rows;
  for (const auto& [pattern, value] : object_at(schema, "patternProperties")) {
    auto keys = compile_regex(pattern);
    if (!keys) {
      return fail(keys.error().code, keys.error().message, below(below(where, "patternProperties"), pattern));
    }
    rows.push_back({pattern, &value, *std::move(keys)});
  }
  return rows;
}

Result<std::vector<SchemaCompiler::Property>> SchemaCompiler::properties_of(
    const Object& schema, const std::vector<PatternRow>& patterns, const std::string& where) {
  std::vector<Property> out;
  const std::vector<std::string_view> required = required_names(schema);
  const auto add = [&](std::string_view name, const json::value& value) -> Result<void> {
    json::array all{value};
    for (const PatternRow& row : patterns) {
      if (row.keys.accepts(name)) all.push_back(*row.schema);
    }
    const std::string place = below(below(where, "properties"), name);
    const json::value& whole =
        all.size() == 1 ? value : made_.emplace_back(json::object{{"allOf", std::move(all)}});
    CISTERN_TRY(const RuleId content, rule_for(whole, place));
    const RuleId rule = builder_.add_rule(place);
    const StateId key = builder_.text(builder_.start(rule), '"' + json_escaped(name) + '"');
    builder_.make_final(builder_.call(json_.colon(key), content));
    out.push_back({.rule = rule, .required = std::ranges::find(required, name) != required.end()});
    return {};
  };
  const json::object& properties = object_at(schema, "properties");
  for (const auto& [name, value] : properties) CISTERN_TRY_VOID(add(name, value));
  static const json::value any(true);
  std::vector<std::string_view> added;
  for (const std::string_view name : required) {
    if (properties.contains(name) || std::ranges::find(added, name) != added.end()) continue;
    added.push_back(name);
    const bool matches =
        std::ranges::any_of(patterns, [&](const PatternRow& row) { return row.keys.accepts(name); });
    CISTERN_TRY_VOID(add(name, others_of(schema) != nullptr && !matches ? *others_of(schema) : any));
  }
  return out;
}

// The names that propertyNames admits; nothing: all.
Result<std::optional<Dfa>> SchemaCompiler::key_names(const Object& schema, const std::string& where) {
  const json::value* names = schema.if_contains("propertyNames");
  if (names == nullptr) return std::nullopt;
  const std::string place = below(where, "propertyNames");
  if (schema.contains("properties") || schema.contains("required") || schema.contains("patternProperties"))
    return fail(ErrorCode::kUnsupported, "propertyNames beside names of properties", place);
  CISTERN_TRY(const auto alternatives, document_.alternatives(*names, place));
  if (alternatives.size() != 1)
    return fail(ErrorCode::kUnsupported, "propertyNames with alternatives", place);
  json::object keys = alternatives[0].schema;
  if (const json::value* values = keys.if_contains("enum")) {
    std::vector<std::string_view> admitted;
    for (const json::value& value : values->get_array()) {
      CISTERN_TRY(const bool fits, admits(keys, value, place));
      if (fits && value.is_string()) admitted.emplace_back(value.get_string());
    }
    return one_of(admitted);
  }
  if (!keys.contains("pattern") && !keys.contains("format")) keys["pattern"] = "";
  return string_dfa(keys, true, place);
}

Result<void> SchemaCompiler::add_members(RuleId member, const std::optional<Dfa>& keys,
                                         const json::value& schema, const std::string& where) {
  if (keys && keys->empty()) return {};
  CISTERN_TRY(const RuleId content, rule_for(schema, where));
  const StateId start = builder_.start(member);
  const StateId key = keys ? builder_.text(add_json_text(builder_, builder_.text(start, "\""), *keys), "\"")
                           : builder_.call(start, json_.string());
  builder_.make_final(builder_.call(json_.colon(key), content));
  return {};
}

// Names that several patterns match are left out, and so are those that have a place of their own.
Result<std::optional<RuleId>> SchemaCompiler::other_member(const Object& schema,
                                                           const std::vector<PatternRow>& patterns,
                                                           const std::string& where) {
  static const json::value any(true);
  const json::value* others = others_of(schema);
  const bool names_any = schema.contains("properties") || schema.contains("required");
  if (others == nullptr && !names_any && patterns.empty() && !schema.contains("unevaluatedProperties"))
    others = &any;
  if (others != nullptr && *others == json::value(false)) others = nullptr;
  if (others == nullptr && patterns.empty()) return std::nullopt;

  CISTERN_TRY(std::optional<Dfa> rest, key_names(schema, where));
  std::vector<std::string_view> taken = required_names(schema);
  for (const auto& [name, value] : object_at(schema, "properties")) taken.push_back(name);
  const auto restrict = [&](const Dfa& by) -> Result<void> {
    auto both = rest ? intersect(*rest, by) : Result<Dfa>(by);
    if (!both) return fail(both.error().code, both.error().message, where);
    rest = *std::move(both);
    return {};
  };
  if (!taken.empty()) CISTERN_TRY_VOID(restrict(complement(one_of(taken))));
  const RuleId member = builder_.add_rule("member of " + where);
  for (const PatternRow& row : patterns) {
    std::optional<Dfa> before = rest;
    CISTERN_TRY_VOID(restrict(row.keys));
    for (const PatternRow& other : patterns) {
      if (&other != &row) CISTERN_TRY_VOID(restrict(complement(other.keys)));
    }
    CISTERN_TRY_VOID(
        add_members(member, rest, *row.schema, below(below(where, "patternProperties"), row.pattern)));
    rest = std::move(before);
  }
  if (others != nullptr) {
    for (const PatternRow& row : patterns) CISTERN_TRY_VOID(restrict(complement(row.keys)));
    CISTERN_TRY_VOID(add_members(member, rest, *others, below(where, "additionalProperties")));
  }
  return member;
}

// States by how many properties have been passed and how many members are there, as far as that matters.
StateId SchemaCompiler::add_properties(StateId from, const std::vector<Property>& properties,
                                       std::optional<RuleId> others, std::uint32_t min, std::uint32_t max) {
  const auto n = static_cast<std::uint32_t>(properties.size());
  const bool limited = max < n;
  const std::uint32_t cap = limited ? max : std::max(1U, std::min(min, n + 1));
  std::vector<StateId> now, next;
  const auto make_row = [&](std::vector<StateId>& row) {
    row.clear();
    for (std::uint32_t count = 0; count <= cap; ++count) row.push_back(builder_.add_state());
  };
  make_row(now);
  builder_.jump(from, now[0]);
  for (const Property& property : properties) {
    make_row(next);
    if (builder_.full()) return from;
    for (std::uint32_t count = 0; count <= cap; ++count) {
      if (!property.required) builder_.jump(now[count], next[count]);
      if (limited && count == max) continue;
      const StateId begin = count == 0 ? now[count] : json_.comma(now[count]);
      builder_.call(begin, property.rule, next[std::min(count + 1, cap)]);
    }
    now.swap(next);
  }
  const StateId end = builder_.add_state();
  if (others && !builder_.full()) {
    const StateId more = builder_.add_state();
    builder_.call(now[0], *others, more);
    builder_.call(json_.comma(now[cap]), *others, more);
    builder_.call(json_.comma(more), *others, more);
    builder_.jump(json_.space(more), end);
  }
  for (std::uint32_t count = 0; count <= cap; ++count) {
    if (count >= min) builder_.jump(count == 0 ? now[count] : json_.space(now[count]), end);
  }
  return end;
}

Result<StateId> SchemaCompiler::add_object(StateId from, const Object& schema, const std::string& where) {
  const std::uint32_t min = count_of(schema, "minProperties", 0);
  const std::uint32_t max = count_of(schema, "maxProperties", kEndless);
  CISTERN_TRY(const auto patterns, patterns_of(schema, where));
  CISTERN_TRY(const auto properties, properties_of(schema, patterns, where));
  CISTERN_TRY(const auto others, other_member(schema, patterns, where));
  const auto n_required = static_cast<std::uint32_t>(
      std::ranges::count_if(properties, [](const Property& p) { return p.required; }));
  if (max < min) return builder_.add_state();  // that nothing leads to
  if (others && min > std::max(1U, n_required)) {
    return fail(ErrorCode::kUnsupported, "minProperties above 1 where names are free: they could repeat",
                below(where, "minProperties"));
  }
  if (others && properties.empty()) return json_.list(from, '{', *others, min, max, '}');
  if (others && max != kEndless) {
    return fail(ErrorCode::kUnsupported, "maxProperties where some names are free and others are not",
                below(where, "maxProperties"));
  }
  const StateId begin = json_.space(builder_.text(from, "{"));
  return builder_.text(add_properties(begin, properties, others, others ? std::min(min, 1U) : min, max), "}");
}

}  // namespace cistern::sample::grammar
