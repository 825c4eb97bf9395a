#include "sample/grammar/schema_compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "sample/grammar/compiled.h"
#include "sample/grammar/number_bounds.h"
#include "sample/grammar/schema_keywords.h"
#include "text/utf8.h"

namespace cistern::sample::grammar {
namespace {

namespace json = boost::json;

bool is_reference_alone(const json::value& schema) {
  return schema.is_object() && schema.get_object().size() == 1 && schema.get_object().contains("$ref");
}

double as_double(const json::value& value) {
  return value.to_number<double>();
}

bool is_within(const json::object& schema, double number) {
  const auto holds = [&](const char* keyword, auto compare) {
    const json::value* bound = schema.if_contains(keyword);
    return bound == nullptr || compare(number, as_double(*bound));
  };
  return holds("minimum", std::greater_equal<>()) && holds("maximum", std::less_equal<>()) &&
         holds("exclusiveMinimum", std::greater<>()) && holds("exclusiveMaximum", std::less<>());
}

// The stricter one of a bound and its exclusive kind.
Result<std::optional<Bound>> bound_of(const json::object& schema, const char* inclusive,
                                      const char* exclusive, bool is_low, const std::string& where) {
  const json::value* with = schema.if_contains(inclusive);
  const json::value* without = schema.if_contains(exclusive);
  if (with == nullptr && without == nullptr) return std::nullopt;
  const bool excludes =
      with == nullptr || (without != nullptr && (is_low ? as_double(*without) >= as_double(*with)
                                                        : as_double(*without) <= as_double(*with)));
  auto value = decimal_of(excludes ? *without : *with);
  if (!value)
    return fail(value.error().code, value.error().message, below(where, excludes ? exclusive : inclusive));
  return Bound{.value = *std::move(value), .exclusive = excludes};
}

// Digits after the point that a multiple has: multipleOf is supported where it says no more than that.
std::optional<std::uint32_t> fraction_digits(double multiple) {
  double power = 1;
  for (std::uint32_t digits = 0; digits <= 9; ++digits, power *= 10) {
    if (multiple == 1 / power) return digits;
  }
  return std::nullopt;
}

}  // namespace

std::uint32_t count_of(const json::object& schema, std::string_view keyword, std::uint32_t otherwise) {
  const json::value* value = schema.if_contains(keyword);
  if (value == nullptr) return otherwise;
  const double count = as_double(*value);
  return count >= kEndless ? kEndless : static_cast<std::uint32_t>(count);
}

Result<RuleId> SchemaCompiler::compile(const json::value& schema, const std::string& where) {
  CISTERN_TRY_VOID(check_keywords(schema, where));
  CISTERN_TRY(const RuleId root, rule_for(schema, where));
  while (!waiting_.empty() && !builder_.full()) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    CISTERN_TRY_VOID(fill(next.rule, *next.schema, next.where));
  }
  return root;
}

Result<RuleId> SchemaCompiler::rule_for(const json::value& schema, const std::string& where) {
  if (is_reference_alone(schema)) {
    const json::string& reference = schema.at("$ref").get_string();
    const std::string place = below(where, "$ref");
    CISTERN_TRY(const json::value* target, document_.resolve(reference, place));
    const auto [found, is_new] = by_reference_.try_emplace(document_.place_of(reference), 0);
    if (is_new) {
      found->second = builder_.add_rule(found->first);
      waiting_.push_back({found->second, target, found->first});
    }
    return found->second;
  }
  // Equal schemas are one: so one that contains itself ends, however it is joined with others on the way.
  const auto [found, is_new] = by_text_.try_emplace(json::serialize(schema), 0);
  if (is_new) {
    found->second = builder_.add_rule(where.empty() ? "the schema" : where);
    waiting_.push_back({found->second, &schema, where});
  }
  return found->second;
}

Result<void> SchemaCompiler::fill(RuleId rule, const json::value& schema, const std::string& where) {
  CISTERN_TRY(auto alternatives, document_.alternatives(schema, where));
  const std::vector<Alternative>& kept = kept_.emplace_back(std::move(alternatives));
  for (const Alternative& alternative : kept)
    CISTERN_TRY_VOID(fill_alternative(rule, alternative.schema, alternative.where));
  return {};
}

Result<void> SchemaCompiler::fill_alternative(RuleId rule, const Object& schema, const std::string& where) {
  if (const json::value* value = schema.if_contains("const"))
    return fill_values(rule, schema, json::array{*value}, where);
  if (const json::value* values = schema.if_contains("enum"))
    return fill_values(rule, schema, values->get_array(), where);
  const Types types = types_of(schema);
  const StateId start = builder_.start(rule);
  const StateId end = builder_.add_state();
  builder_.make_final(end);
  if (types == kAnyType && !schema.contains("type")) {
    builder_.call(start, json_.value(), end);
    return {};
  }
  const auto add = [&](Result<StateId> last) -> Result<void> {
    if (!last) return std::unexpected(std::move(last).error());
    builder_.jump(*last, end);
    return {};
  };
  if ((types & kNullType) != 0) builder_.call(start, json_.null(), end);
  if ((types & kBooleanType) != 0) builder_.call(start, json_.boolean(), end);
  if ((types & (kIntegerType | kFractionType)) != 0)
    CISTERN_TRY_VOID(add(add_number(start, schema, (types & kFractionType) == 0, where)));
  if ((types & kStringType) != 0) CISTERN_TRY_VOID(add(add_string(start, schema, where)));
  if ((types & kArrayType) != 0) CISTERN_TRY_VOID(add(add_array(start, schema, where)));
  if ((types & kObjectType) != 0) CISTERN_TRY_VOID(add(add_object(start, schema, where)));
  return {};
}

Result<void> SchemaCompiler::fill_values(RuleId rule, const Object& schema, const json::array& values,
                                         const std::string& where) {
  const json::value* others = schema.contains("const") ? schema.if_contains("enum") : nullptr;
  for (const json::value& value : values) {
    if (others != nullptr && std::ranges::find(others->get_array(), value) == others->get_array().end())
      continue;
    CISTERN_TRY(const bool admitted, admits(schema, value, where));
    if (admitted) builder_.make_final(json_.literal(builder_.start(rule), value));
  }
  return {};
}

// Whether a constant satisfies the keywords beside it.
Result<bool> SchemaCompiler::admits(const Object& schema, const json::value& value,
                                    const std::string& where) {
  if ((types_of(schema) & type_of_value(value)) == 0) return false;
  if (value.is_number()) {
    if (schema.contains("multipleOf"))
      return fail(ErrorCode::kUnsupported, "multipleOf beside enum or const", below(where, "multipleOf"));
    return is_within(schema, as_double(value));
  }
  if (const json::string* text = value.if_string()) {
    std::size_t length = 0;
    for (const char c : *text) length += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
    if (length < count_of(schema, "minLength", 0) || length > count_of(schema, "maxLength", kEndless))
      return false;
    CISTERN_TRY(const auto dfa, string_dfa(schema, false, where));
    return !dfa || dfa->accepts(*text);
  }
  for (const auto& [keyword, ignored] : schema) {
    const bool simple = keyword == "enum" || keyword == "const" || keyword == "type";
    if ((value.is_object() || value.is_array()) && !simple)
      return fail(ErrorCode::kUnsupported, "further keywords beside a constant object or array",
                  below(where, keyword));
  }
  return true;
}

Result<StateId> SchemaCompiler::add_number(StateId from, const Object& schema, bool integer,
                                           const std::string& where) {
  NumberBounds bounds{.most_fraction_digits = integer ? 0 : kMostDigits};
  CISTERN_TRY(bounds.low, bound_of(schema, "minimum", "exclusiveMinimum", true, where));
  CISTERN_TRY(bounds.high, bound_of(schema, "maximum", "exclusiveMaximum", false, where));
  const json::value* multiple = schema.if_contains("multipleOf");
  if (multiple != nullptr) {
    const auto digits = fraction_digits(as_double(*multiple));
    if (!digits) {
      return fail(ErrorCode::kUnsupported, "multipleOf is supported only with 1, 0.1, 0.01 and so on",
                  below(where, "multipleOf"));
    }
    bounds.most_fraction_digits = std::min(bounds.most_fraction_digits, *digits);
  }
  if (bounds.low || bounds.high || multiple != nullptr) return add_bounded_number(builder_, from, bounds);
  return builder_.call(from, integer ? json_.integer() : json_.number());
}

// After prefixItems come further items only if the schema says what they are.
Result<StateId> SchemaCompiler::add_array(StateId from, const Object& schema, const std::string& where) {
  const std::uint32_t min = count_of(schema, "minItems", 0);
  std::uint32_t max = count_of(schema, "maxItems", kEndless);
  const json::value* unique = schema.if_contains("uniqueItems");
  if (unique != nullptr && *unique != json::value(false) && max > 1)
    return fail(ErrorCode::kUnsupported, "uniqueItems is not supported", below(where, "uniqueItems"));
  const json::value* items = schema.if_contains("items");
  const json::value* prefix = schema.if_contains("prefixItems");
  std::string prefix_place = below(where, "prefixItems"), items_place = below(where, "items");
  if (items != nullptr && items->is_array()) {
    prefix = items;
    prefix_place = items_place;
    items = schema.if_contains("additionalItems");
    items_place = below(where, "additionalItems");
  }
  if (max < min) return builder_.add_state();  // that nothing leads to
  static const json::value any(true);
  if (prefix == nullptr) {
    CISTERN_TRY(const RuleId item, rule_for(items == nullptr ? any : *items, items_place));
    return json_.list(from, '[', item, min, max, ']');
  }
  const json::array& first = prefix->get_array();
  if (items == nullptr && first.size() >= min) max = std::min(max, static_cast<std::uint32_t>(first.size()));
  StateId at = json_.space(builder_.text(from, "["));
  const StateId end = builder_.add_state();
  std::uint32_t count = 0;
  for (; count < first.size() && count < max && !builder_.full(); ++count) {
    if (count >= min) builder_.jump(count == 0 ? at : json_.space(at), end);
    CISTERN_TRY(const RuleId item, rule_for(first[count], below(prefix_place, std::to_string(count))));
    at = builder_.call(count == 0 ? at : json_.comma(at), item);
  }
  if (max > count) {
    CISTERN_TRY(const RuleId item, rule_for(items == nullptr ? any : *items, items_place));
    const RuleId next = builder_.add_rule("next item");
    builder_.make_final(builder_.call(json_.comma(builder_.start(next)), item));
    at = builder_.repeat_call(at, next, min > count ? min - count : 0, max == kEndless ? max : max - count);
  }
  builder_.jump(json_.space(at), end);
  return builder_.text(end, "]");
}

Result<RuleId> add_json_schema(Builder& builder, const json::value& schema, const std::string& where) {
  return SchemaCompiler(builder, schema, where).compile(schema, where);
}

}  // namespace cistern::sample::grammar
