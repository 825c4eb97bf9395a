#include "sample/grammar/json_text.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

namespace cistern::sample::grammar {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kMostIndent = 40;

const CharSet& digits() {
  static const CharSet set({{'0', '9'}});
  return set;
}

const CharSet& hex(char32_t first) {
  static const CharSet from_0({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
  static const CharSet from_8({{'8', '9'}, {'a', 'b'}, {'A', 'B'}});
  static const CharSet from_c({{'c', 'f'}, {'C', 'F'}});
  return first == '8' ? from_8 : first == 'c' ? from_c : from_0;
}

}  // namespace

std::string json_escaped(std::string_view text) {
  std::string quoted = json::serialize(json::string_view(text.data(), text.size()));
  return quoted.substr(1, quoted.size() - 2);
}

std::pair<RuleId, bool> JsonText::part(Part which, const char* name) {
  const bool is_new = !rules_[which];
  if (is_new) rules_[which] = builder_.add_rule(name);
  return {*rules_[which], is_new};
}

StateId JsonText::space(StateId from) {
  const auto [rule, is_new] = part(kSpace, "space");
  if (is_new) {
    const StateId start = builder_.start(rule);
    builder_.make_final(start);
    builder_.make_final(builder_.text(start, " "));
    static const CharSet indent({{' ', ' '}, {'\t', '\t'}});
    builder_.make_final(builder_.repeat_chars(builder_.text(start, "\n"), indent, 0, kMostIndent));
  }
  return builder_.call(from, rule);
}

StateId JsonText::colon(StateId from) {
  const StateId after = builder_.text(from, ":");
  const StateId out = builder_.add_state();
  builder_.jump(after, out);
  builder_.byte(after, ' ', out);
  return out;
}

// A character, or what stands for one: surrogates only in pairs.
RuleId JsonText::string_char() {
  const auto [rule, is_new] = part(kChar, "character");
  if (!is_new) return rule;
  const StateId start = builder_.start(rule);
  const StateId end = builder_.add_state();
  builder_.make_final(end);
  builder_.chars(start, ~CharSet({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}), end);
  const StateId escape = builder_.text(start, "\\");
  static const CharSet single(
      {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}});
  builder_.chars(escape, single, end);
  const auto two_digits = [&](StateId from, StateId to) {
    builder_.chars(builder_.chars(from, hex('0')), hex('0'), to);
  };
  const StateId unicode = builder_.text(escape, "u");
  static const CharSet not_d({{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}});
  static const CharSet d({{'d', 'd'}, {'D', 'D'}}), below_8({{'0', '7'}});
  two_digits(builder_.chars(builder_.chars(unicode, not_d), hex('0')), end);
  const StateId after_d = builder_.chars(unicode, d);
  two_digits(builder_.chars(after_d, below_8), end);
  const StateId low = builder_.add_state();
  two_digits(builder_.chars(after_d, hex('8')), low);
  two_digits(builder_.chars(builder_.chars(builder_.text(low, "\\u"), d), hex('c')), end);
  return rule;
}

StateId JsonText::string_of_length(StateId from, std::uint32_t min, std::uint32_t max) {
  const StateId quote = builder_.text(from, "\"");
  const StateId round = builder_.loop(quote, min, max);
  if (builder_.full()) return round;
  static const CharSet bare = ~CharSet({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
  const StateId after = builder_.add_state(builder_.counter_of(round));
  if (max > 0) {
    builder_.chars(round, bare, round, true);
    builder_.call(round, string_char(), after);
    builder_.jump(after, round, true);
    builder_.set_plain_run(round, kEndless);
  }
  const StateId out = builder_.add_state();
  builder_.jump(round, out);
  return builder_.text(out, "\"");
}

RuleId JsonText::string() {
  const auto [rule, is_new] = part(kString, "string");
  if (is_new) builder_.make_final(string_of_length(builder_.start(rule), 0, kEndless));
  return rule;
}

StateId JsonText::integer_digits(StateId from) {
  const StateId end = builder_.add_state();
  builder_.byte(from, '0', end);
  const StateId first = builder_.chars(from, CharSet({{'1', '9'}}));
  builder_.jump(builder_.repeat_chars(first, digits(), 0, kMostDigits - 1), end);
  return end;
}

RuleId JsonText::integer() {
  const auto [rule, is_new] = part(kInteger, "integer");
  if (!is_new) return rule;
  const StateId start = builder_.start(rule);
  builder_.make_final(integer_digits(start));
  const StateId first = builder_.chars(builder_.text(start, "-"), CharSet({{'1', '9'}}));
  builder_.make_final(builder_.repeat_chars(first, digits(), 0, kMostDigits - 1));
  return rule;
}

RuleId JsonText::number() {
  const auto [rule, is_new] = part(kNumber, "number");
  if (!is_new) return rule;
  const StateId start = builder_.start(rule);
  const StateId sign = builder_.add_state();
  builder_.jump(start, sign);
  builder_.byte(start, '-', sign);
  const StateId whole = integer_digits(sign);
  const StateId mantissa = builder_.add_state();
  builder_.jump(whole, mantissa);
  builder_.jump(builder_.repeat_chars(builder_.text(whole, "."), digits(), 1, kMostDigits), mantissa);
  builder_.make_final(mantissa);
  const StateId e = builder_.chars(mantissa, CharSet({{'e', 'e'}, {'E', 'E'}}));
  const StateId exponent = builder_.add_state();
  builder_.jump(e, exponent);
  builder_.chars(e, CharSet({{'+', '+'}, {'-', '-'}}), exponent);
  builder_.make_final(builder_.repeat_chars(exponent, digits(), 1, 2));  // what a double holds
  return rule;
}

RuleId JsonText::boolean() {
  const auto [rule, is_new] = part(kBoolean, "boolean");
  if (!is_new) return rule;
  builder_.make_final(builder_.text(builder_.start(rule), "true"));
  builder_.make_final(builder_.text(builder_.start(rule), "false"));
  return rule;
}

RuleId JsonText::null() {
  const auto [rule, is_new] = part(kNull, "null");
  if (is_new) builder_.make_final(builder_.text(builder_.start(rule), "null"));
  return rule;
}

RuleId JsonText::value() {
  const auto [rule, is_new] = part(kValue, "value");
  if (!is_new) return rule;
  const StateId end = builder_.add_state();
  builder_.make_final(end);
  for (const RuleId kind : {object(), array(), string(), number(), boolean(), null()})
    builder_.call(builder_.start(rule), kind, end);
  return rule;
}

RuleId JsonText::object() {
  const auto [rule, is_new] = part(kObject, "object");
  if (!is_new) return rule;
  const RuleId member = builder_.add_rule("member");
  const StateId key = builder_.call(builder_.start(member), string());
  builder_.make_final(builder_.call(colon(key), value()));
  builder_.make_final(list(builder_.start(rule), '{', member, 0, kEndless, '}'));
  return rule;
}

RuleId JsonText::array() {
  const auto [rule, is_new] = part(kArray, "array");
  if (is_new) builder_.make_final(list(builder_.start(rule), '[', value(), 0, kEndless, ']'));
  return rule;
}

StateId JsonText::list(StateId from, char open, RuleId item, std::uint32_t min, std::uint32_t max,
                       char close) {
  const StateId begin = space(builder_.text(from, std::string_view(&open, 1)));
  const StateId end = builder_.add_state();
  if (min == 0) builder_.jump(begin, end);
  if (max > 0) {
    const RuleId next = builder_.add_rule("next item");
    builder_.make_final(builder_.call(comma(builder_.start(next)), item));
    const StateId first = builder_.call(begin, item);
    const std::uint32_t more = max == kEndless ? kEndless : max - 1;
    builder_.jump(space(builder_.repeat_call(first, next, min > 0 ? min - 1 : 0, more)), end);
  }
  return builder_.text(end, std::string_view(&close, 1));
}

StateId JsonText::literal(StateId from, const json::value& value) {
  if (const auto* object = value.if_object()) {
    StateId at = space(builder_.text(from, "{"));
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!std::exchange(first, false)) at = comma(at);
      at = literal(colon(builder_.text(at, '"' + json_escaped(key) + '"')), member);
    }
    return builder_.text(object->empty() ? at : space(at), "}");
  }
  if (const auto* array = value.if_array()) {
    StateId at = space(builder_.text(from, "["));
    for (std::size_t i = 0; i < array->size(); ++i) at = literal(i > 0 ? comma(at) : at, (*array)[i]);
    return builder_.text(array->empty() ? at : space(at), "]");
  }
  if (const auto* number = value.if_double()) return builder_.text(from, fmt::format("{}", *number));
  return builder_.text(from, json::serialize(value));
}

}  // namespace cistern::sample::grammar
