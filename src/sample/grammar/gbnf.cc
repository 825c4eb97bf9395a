// The notation of GBNF: rules `name ::= alternatives`, with literals, classes, groups, repetitions and
// comments. A rule ends with its line, unless a group is open or an alternative is still to come. One parser
// per text, straight into the Builder: what is repeated becomes a rule of its own.
#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <set>

#include "sample/grammar/compiled.h"
#include "text/utf8.h"

namespace cistern::sample::grammar {
namespace {

constexpr int kMostNesting = 100;
constexpr std::uint32_t kMostRepeats = 1U << 20U;

struct EscapeRow {
  char letter;
  char32_t character;
  int digits;  // of a code point in hexadecimal that follows; 0: none
};
constexpr std::array kEscapes = {
    EscapeRow{'n', '\n', 0},  EscapeRow{'r', '\r', 0}, EscapeRow{'t', '\t', 0}, EscapeRow{'"', '"', 0},
    EscapeRow{'\\', '\\', 0}, EscapeRow{'[', '[', 0},  EscapeRow{']', ']', 0},  EscapeRow{'-', '-', 0},
    EscapeRow{'^', '^', 0},   EscapeRow{'x', 0, 2},    EscapeRow{'u', 0, 4},    EscapeRow{'U', 0, 8},
};

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfParser {
 public:
  GbnfParser(Builder& builder, std::string_view text) : builder_(builder), text_(text) {}

  Result<GbnfRoot> parse(std::span<const NamedSchema> schemas) {
    if (!text::is_valid_utf8(text_)) return bad("bad UTF-8");
    for (const NamedSchema& schema : schemas) {
      CISTERN_TRY(const RuleId rule, add_json_schema(builder_, schema.schema, ""));
      if (!rules_.emplace(schema.rule, rule).second || schema.rule.empty())
        return bad(fmt::format("two schemas, or none, are called '{}'", schema.rule));
      defined_.insert(rule);
    }
    for (skip(true); at_ < text_.size() && !builder_.full(); skip(true)) CISTERN_TRY_VOID(rule());
    for (const auto& [name, id] : rules_) {
      if (!defined_.contains(id) && !builder_.full())
        return fail(ErrorCode::kFormat, fmt::format("the rule '{}' is used but not defined", name),
                    "grammar");
    }
    const auto root = rules_.find("root");
    if (root == rules_.end() && !builder_.full())
      return fail(ErrorCode::kFormat, "there is no rule 'root' to begin with", "grammar");
    out_.rule = root == rules_.end() ? 0 : root->second;
    return std::move(out_);
  }

 private:
  // What a repetition repeats.
  struct Element {
    std::optional<CharSet> chars;
    std::optional<std::string> text;
    RuleId rule = 0;  // when it is neither
  };
  struct Times {
    std::uint32_t min = 1, max = 1;
  };

  std::unexpected<Error> bad(std::string_view what, ErrorCode code = ErrorCode::kFormat) const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
    return fail(code, std::string(what), fmt::format("grammar, line {}, column {}", line, at_ - begin + 1));
  }
  bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool take(std::string_view what) {
    if (!next_is(what)) return false;
    at_ += what.size();
    return true;
  }
  // Blanks and comments, and newlines where the rule goes on after them.
  void skip(bool newlines) {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_[at_] == ' ' || text_[at_] == '\t' ||
                 (newlines && (text_[at_] == '\n' || text_[at_] == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  RuleId rule_called(std::string_view name) {
    const auto found = rules_.find(name);
    if (found != rules_.end()) return found->second;
    const RuleId rule = builder_.add_rule(std::string(name));
    rules_.emplace(name, rule);
    return rule;
  }

  Result<std::string_view> name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    if (at_ == begin) return bad("the name of a rule is missing");
    return text_.substr(begin, at_ - begin);
  }

  Result<void> rule() {
    CISTERN_TRY(const std::string_view called, name());
    const RuleId id = rule_called(called);
    if (!defined_.insert(id).second) return bad(fmt::format("the rule '{}' is defined twice", called));
    skip(false);
    if (!take("::=")) return bad("::= is missing");
    skip(true);
    CISTERN_TRY_VOID(alternatives(id, 0));
    if (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r')
      return bad("the end of the rule is missing");
    return {};
  }

  Result<void> alternatives(RuleId id, int nesting) {
    if (nesting > kMostNesting) return bad("groups nested too deeply", ErrorCode::kUnsupported);
    do {
      skip(true);
      CISTERN_TRY(const StateId end, sequence(builder_.start(id), nesting));
      builder_.make_final(end);
      skip(nesting > 0);
    } while (take("|"));
    return {};
  }

  Result<StateId> sequence(StateId start, int nesting) {
    // A state of its own: the start of a rule may have other alternatives, and be called again.
    StateId at = builder_.add_state();
    builder_.jump(start, at);
    while (at_ < text_.size() && !builder_.full()) {
      const char c = text_[at_];
      if (c == '|' || c == ')' || c == '\n' || c == '\r') break;
      CISTERN_TRY(const Element element, this->element(nesting));
      skip(nesting > 0);
      CISTERN_TRY(const Times times, this->times());
      at = emit(at, element, times);
      skip(nesting > 0);
    }
    return at;
  }

  StateId emit(StateId from, const Element& element, const Times& times) {
    const bool once = times.min == 1 && times.max == 1;
    if (element.chars) {
      return once ? builder_.chars(from, *element.chars)
                  : builder_.repeat_chars(from, *element.chars, times.min, times.max);
    }
    if (!element.text) {
      return once ? builder_.call(from, element.rule)
                  : builder_.repeat_call(from, element.rule, times.min, times.max);
    }
    if (once) return builder_.text(from, *element.text, true);
    const RuleId rule = builder_.add_rule("a literal");
    builder_.make_final(builder_.text(builder_.start(rule), *element.text, true));
    return builder_.repeat_call(from, rule, times.min, times.max);
  }

  Result<Element> element(int nesting) {
    if (take("\"")) {
      CISTERN_TRY(std::string text, literal());
      return Element{.text = std::move(text)};
    }
    if (take("[")) {
      CISTERN_TRY(CharSet set, char_class());
      return Element{.chars = std::move(set)};
    }
    if (take(".")) return Element{.chars = CharSet::all()};
    if (take("(")) {
      const RuleId group = builder_.add_rule("a group");
      CISTERN_TRY_VOID(alternatives(group, nesting + 1));
      if (!take(")")) return bad("a ( without )");
      return Element{.rule = group};
    }
    if (!is_name(text_[at_])) return bad(fmt::format("nothing can begin with '{}'", text_[at_]));
    CISTERN_TRY(const std::string_view called, name());
    return Element{.rule = rule_called(called)};
  }

  Result<char32_t> character() {
    if (at_ == text_.size() || text_[at_] == '\n') return bad("the line ends too early");
    if (!take("\\")) {
      const text::CodePoint c = text::decode_utf8(text_.substr(at_));
      at_ += c.length;
      return c.value;
    }
    const auto* row =
        at_ < text_.size() ? std::ranges::find(kEscapes, text_[at_], &EscapeRow::letter) : kEscapes.end();
    if (row == kEscapes.end()) return bad("an unknown escape");
    ++at_;
    if (row->digits == 0) return row->character;
    char32_t value = 0;
    for (int i = 0; i < row->digits; ++i, ++at_) {
      const std::size_t digit = at_ < text_.size()
                                    ? std::string_view("0123456789abcdefABCDEF").find(text_[at_])
                                    : std::string_view::npos;
      if (digit == std::string_view::npos) return bad("too few digits of an escape");
      value = value * 16 + static_cast<char32_t>(digit < 16 ? digit : digit - 6);
    }
    if (!CharSet::all().contains(value)) return bad("no such character");
    return value;
  }

  Result<std::string> literal() {
    std::string text;
    while (!take("\"")) {
      CISTERN_TRY(const char32_t c, character());
      text::append_utf8(text, c);
    }
    out_.literals.push_back(text);
    return text;
  }

  Result<CharSet> char_class() {
    const bool negated = take("^");
    std::vector<CharRange> ranges;
    while (!take("]")) {
      CISTERN_TRY(const char32_t first, character());
      char32_t last = first;
      if (next_is("-") && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        CISTERN_TRY(last, character());
      }
      if (last < first) return bad("a range that ends before it begins");
      ranges.push_back({first, last});
    }
    const CharSet set(std::move(ranges));
    return negated ? ~set : set;
  }

  Result<Times> times() {
    if (take("*")) return Times{0, kEndless};
    if (take("+")) return Times{1, kEndless};
    if (take("?")) return Times{0, 1};
    if (!take("{")) return Times{};
    Times times;
    skip(false);
    CISTERN_TRY(const auto min, number());
    times.min = min.value_or(0);
    times.max = times.min;
    skip(false);
    if (take(",")) {
      skip(false);
      CISTERN_TRY(const auto max, number());
      times.max = max.value_or(kEndless);
      skip(false);
    } else if (!min) {
      return bad("a number is missing");
    }
    if (!take("}")) return bad("a { without }");
    if (times.min > times.max) return bad("a repetition whose bounds are swapped");
    return times;
  }

  Result<std::optional<std::uint32_t>> number() {
    std::optional<std::uint32_t> value;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value.value_or(0) * 10 + static_cast<std::uint32_t>(text_[at_] - '0');
      if (*value > kMostRepeats)
        return bad(fmt::format("more than {} repetitions", kMostRepeats), ErrorCode::kUnsupported);
    }
    return value;
  }

  Builder& builder_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::map<std::string, RuleId, std::less<>> rules_;
  std::set<RuleId> defined_;
  GbnfRoot out_;
};

}  // namespace

Result<GbnfRoot> add_gbnf(Builder& builder, std::string_view text, std::span<const NamedSchema> schemas) {
  return GbnfParser(builder, text).parse(schemas);
}

}  // namespace cistern::sample::grammar
