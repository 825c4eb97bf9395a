#include "sample/grammar/regex_syntax.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "sample/grammar/automaton.h"
#include "text/utf8.h"

namespace cistern::sample::grammar {
namespace {

using Kind = RegexNode::Kind;

constexpr int kMostNesting = 100;
constexpr std::size_t kMostNodes = 1U << 14U;
constexpr std::uint32_t kMostRepeats = 1U << 20U;

const CharSet& class_of(char letter) {
  static const CharSet digits({{'0', '9'}});
  static const CharSet word({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
  static const CharSet space({{0x9, 0xD},
                              {' ', ' '},
                              {0xA0, 0xA0},
                              {0x1680, 0x1680},
                              {0x2000, 0x200A},
                              {0x2028, 0x2029},
                              {0x202F, 0x202F},
                              {0x205F, 0x205F},
                              {0x3000, 0x3000},
                              {0xFEFF, 0xFEFF}});
  return letter == 'd' ? digits : letter == 'w' ? word : space;
}

struct ControlEscape {
  char letter;
  char32_t character;
};
constexpr std::array kControlEscapes = {ControlEscape{'t', '\t'}, ControlEscape{'n', '\n'},
                                        ControlEscape{'r', '\r'}, ControlEscape{'f', '\f'},
                                        ControlEscape{'v', '\v'}, ControlEscape{'0', 0}};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Regex> parse() {
    CISTERN_TRY(regex_.root, choice());
    if (at_ < text_.size()) return bad("a ) without (");
    return std::move(regex_);
  }

 private:
  std::unexpected<Error> bad(std::string_view what) const {
    return fail(ErrorCode::kFormat, fmt::format("malformed pattern: {} at offset {}", what, at_));
  }
  std::unexpected<Error> refused(std::string_view what) const {
    return fail(ErrorCode::kUnsupported, fmt::format("pattern: {} at offset {} is not supported", what, at_));
  }
  bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  bool take(std::string_view what) {
    if (!next_is(what)) return false;
    at_ += what.size();
    return true;
  }
  Result<std::uint32_t> add(RegexNode node) {
    if (regex_.nodes.size() >= kMostNodes)
      return fail(ErrorCode::kUnsupported, fmt::format("the pattern has more than {} parts", kMostNodes));
    regex_.nodes.push_back(std::move(node));
    return static_cast<std::uint32_t>(regex_.nodes.size() - 1);
  }

  Result<std::uint32_t> choice() {
    if (++nesting_ > kMostNesting) return refused("so deep a nesting");
    RegexNode node{.kind = Kind::kChoice};
    do {
      CISTERN_TRY(const std::uint32_t branch, sequence());
      node.children.push_back(branch);
    } while (take("|"));
    --nesting_;
    return node.children.size() == 1 ? Result<std::uint32_t>(node.children[0]) : add(std::move(node));
  }

  Result<std::uint32_t> sequence() {
    RegexNode node{.kind = Kind::kSequence};
    while (at_ < text_.size() && !next_is("|") && !next_is(")")) {
      CISTERN_TRY(std::uint32_t part, atom());
      CISTERN_TRY(part, quantified(part));
      node.children.push_back(part);
    }
    return add(std::move(node));
  }

  Result<std::uint32_t> atom() {
    if (take("^")) return add({.kind = Kind::kBegin});
    if (take("$")) return add({.kind = Kind::kEnd});
    if (take("(")) return group();
    if (take(".")) return add_set(~CharSet({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}));
    if (take("[")) return bracket();
    if (take("\\")) {
      CISTERN_TRY(CharSet set, escape());
      return add_set(std::move(set));
    }
    if (next_is("*") || next_is("+") || next_is("?")) return bad("nothing to repeat");
    CISTERN_TRY(const char32_t c, character());
    return add_set(CharSet::of(c));
  }

  Result<std::uint32_t> add_set(CharSet set) { return add({.kind = Kind::kSet, .set = std::move(set)}); }

  Result<char32_t> character() {
    const text::CodePoint c = text::decode_utf8(text_.substr(at_));
    if (!c.valid) return bad("bad UTF-8");
    at_ += c.length;
    return c.value;
  }

  Result<std::uint32_t> group() {
    for (const std::string_view look : {"?=", "?!", "?<=", "?<!"}) {
      if (next_is(look)) return refused(fmt::format("lookaround ({}", look));
    }
    if (take("?<")) {
      const std::size_t end = text_.find('>', at_);
      if (end == std::string_view::npos) return bad("a name of a group without >");
      at_ = end + 1;
    } else if (!take("?:") && next_is("?")) {
      return refused("a group that begins with (?");
    }
    CISTERN_TRY(const std::uint32_t inner, choice());
    if (!take(")")) return bad("a ( without )");
    return inner;
  }

  // After a backslash. `\b` and backreferences are no characters.
  Result<CharSet> escape() {
    if (at_ == text_.size()) return bad("a backslash at the end");
    const char letter = text_[at_];
    if (letter == 'b' || letter == 'B') return refused("the word boundary \\b");
    if (letter >= '1' && letter <= '9') return refused("a backreference");
    if (letter == 'k') return refused("a backreference");
    if (letter == 'p' || letter == 'P') return refused("a property \\p");
    if (letter == 'c') return refused("the control escape \\c");
    if (letter == 'd' || letter == 'w' || letter == 's') return ++at_, class_of(letter);
    if (letter == 'D' || letter == 'W' || letter == 'S')
      return ++at_, ~class_of(static_cast<char>(letter - 'A' + 'a'));
    for (const ControlEscape& row : kControlEscapes) {
      if (letter == row.letter) return ++at_, CharSet::of(row.character);
    }
    if (letter == 'x' || letter == 'u') {
      CISTERN_TRY(const char32_t c, hex_escape());
      return CharSet::of(c);
    }
    CISTERN_TRY(const char32_t c, character());
    return CharSet::of(c);
  }

  Result<char32_t> hex_escape() {
    const bool is_u = text_[at_++] == 'u';
    const bool braced = is_u && take("{");
    const std::size_t most = braced ? 6 : is_u ? 4 : 2;
    char32_t value = 0;
    std::size_t digits = 0;
    for (; digits < most && at_ < text_.size() && hex_digit(text_[at_]) >= 0; ++digits, ++at_)
      value = value * 16 + static_cast<char32_t>(hex_digit(text_[at_]));
    if (digits == 0 || (!braced && digits < most)) return bad("too few digits of an escape");
    if (braced && !take("}")) return bad("an escape without }");
    if (value > 0x10FFFF) return bad("no such character");
    if (value >= 0xD800 && value <= 0xDFFF) return refused("a surrogate");
    return value;
  }

  Result<std::uint32_t> bracket() {
    const bool negated = take("^");
    std::vector<CharRange> ranges;
    CharSet classes;
    while (!take("]")) {
      if (at_ == text_.size()) return bad("a [ without ]");
      CISTERN_TRY(const CharSet first, class_atom());
      const bool is_range = next_is("-") && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (!is_range) {
        ranges.insert(ranges.end(), first.ranges().begin(), first.ranges().end());
        continue;
      }
      ++at_;
      CISTERN_TRY(const CharSet last, class_atom());
      const auto single = [](const CharSet& set) {
        return set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].last;
      };
      if (!single(first) || !single(last)) return bad("a range between classes");
      if (first.ranges()[0].first > last.ranges()[0].first) return bad("a range that ends before it begins");
      ranges.push_back({first.ranges()[0].first, last.ranges()[0].last});
    }
    const CharSet set(std::move(ranges));
    return add_set(negated ? ~set : set);
  }

  Result<CharSet> class_atom() {
    if (take("\\")) {
      if (take("b")) return CharSet::of('\b');
      return escape();
    }
    CISTERN_TRY(const char32_t c, character());
    return CharSet::of(c);
  }

  Result<std::uint32_t> quantified(std::uint32_t part) {
    std::optional<std::pair<std::uint32_t, std::uint32_t>> bounds;
    if (take("*")) bounds = {0, kEndless};
    if (!bounds && take("+")) bounds = {1, kEndless};
    if (!bounds && take("?")) bounds = {0, 1};
    if (!bounds && next_is("{")) {
      CISTERN_TRY(bounds, braces());
    }
    if (!bounds) return part;
    take("?");  // lazy: the same strings
    const Kind kind = regex_.nodes[part].kind;
    if (kind == Kind::kBegin || kind == Kind::kEnd) return bad("a repeated anchor");
    if (next_is("*") || next_is("+") || next_is("?")) return bad("two quantifiers");
    return add({.kind = Kind::kRepeat, .children = {part}, .min = bounds->first, .max = bounds->second});
  }

  Result<std::pair<std::uint32_t, std::uint32_t>> braces() {
    ++at_;
    CISTERN_TRY(const std::uint32_t min, number());
    std::uint32_t max = min;
    if (take(",")) {
      max = kEndless;
      if (!next_is("}")) {
        CISTERN_TRY(max, number());
      }
    }
    if (!take("}")) return bad("a { without }");
    if (min > max) return bad("a repetition whose bounds are swapped");
    return std::pair{min, max};
  }

  Result<std::uint32_t> number() {
    std::uint32_t value = 0;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + static_cast<std::uint32_t>(text_[at_] - '0');
      if (value > kMostRepeats) return refused("so high a repetition");
    }
    if (at_ == begin) return bad("a number is missing");
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  Regex regex_;
};

}  // namespace

Result<Regex> parse_regex(std::string_view pattern) {
  return Parser(pattern).parse();
}

}  // namespace cistern::sample::grammar
