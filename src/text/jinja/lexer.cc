#include "text/jinja/lexer.h"

#include <algorithm>

#include "text/jinja/failure.h"
#include "text/jinja/string_literal.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

// LF line ends, without the one at the very end.
std::string normalize_lines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

bool is_digit_character(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalize_lines(source)), text_(source_) {}

  std::vector<Token> run() {
    while (position_ < text_.size()) lex_text();
    add(TokenType::kEnd, "");
    return std::move(tokens_);
  }

 private:
  void add(TokenType type, std::string text) { tokens_.push_back({type, std::move(text), line_}); }

  bool at(std::string_view what) const { return text_.substr(position_).starts_with(what); }
  char peek(std::size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }

  void advance_to(std::size_t end) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(position_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    position_ = end;
  }

  std::size_t end_of_spaces(std::size_t from) const {
    while (from < text_.size()) {
      std::size_t next = from;
      if (!is_space(next_code_point(text_, next))) break;
      from = next;
    }
    return from;
  }

  // The end mark of a tag at `from`, with the white space it takes along; `from` itself when there is none.
  // A plain %} or #} takes one newline (trim_blocks), -%} all white space, +%} nothing.
  std::size_t end_of_mark(std::size_t from, std::string_view mark, bool is_variable) const {
    const std::string_view rest = text_.substr(from);
    if (rest.starts_with('-') && rest.substr(1).starts_with(mark))
      return end_of_spaces(from + 1 + mark.size());
    if (!is_variable && rest.starts_with('+') && rest.substr(1).starts_with(mark))
      return from + 1 + mark.size();
    if (!rest.starts_with(mark)) return from;
    const std::size_t end = from + mark.size();
    return !is_variable && end < text_.size() && text_[end] == '\n' ? end + 1 : end;
  }

  void finish_mark(std::size_t end) {
    advance_to(end);
    line_starts_ = text_[end - 1] == '\n';
  }

  // Writes the text in front of a tag, shortened as the tag's sign asks; lstrip_blocks removes blanks between
  // the start of the line and a tag that is no {{.
  void add_text(std::string_view text, char sign, bool is_variable) {
    std::string_view kept = text;
    if (sign == '-') {
      kept = strip(text, nullptr, false, true);
    } else if (sign != '+' && !is_variable) {
      const std::size_t newline = text.rfind('\n');
      const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
      const bool at_line_start = newline != std::string_view::npos || line_starts_;
      if (at_line_start && strip(text.substr(line_start), nullptr, true, false).empty())
        kept = text.substr(0, line_start);
    }
    if (!kept.empty()) add(TokenType::kText, std::string(kept));
    advance_to(position_ + text.size());
  }

  void lex_text() {
    std::size_t start = position_;
    do {
      start = text_.find('{', start);
      if (start == std::string_view::npos || start + 1 >= text_.size()) start = text_.size();
    } while (start < text_.size() &&
             std::string_view("%{#").find(text_[start + 1]) == std::string_view::npos && ++start);
    if (start >= text_.size()) {
      add(TokenType::kText, std::string(text_.substr(position_)));
      advance_to(text_.size());
      return;
    }
    const char kind = text_[start + 1];
    const char sign = start + 2 < text_.size() && (text_[start + 2] == '-' || text_[start + 2] == '+')
                          ? text_[start + 2]
                          : '\0';
    add_text(text_.substr(position_, start - position_), sign, kind == '{');
    const std::size_t behind = start + (sign ? 3 : 2);
    if (kind == '#') {
      lex_comment(behind);
    } else if (kind == '{') {
      add(TokenType::kVariableBegin, "{{");
      advance_to(behind);
      lex_tag("}}", true);
    } else if (const std::size_t raw = end_of_raw_tag(behind); raw != behind) {
      finish_mark(raw);
      lex_raw();
    } else {
      add(TokenType::kBlockBegin, "{%");
      advance_to(behind);
      lex_tag("%}", false);
    }
  }

  void lex_comment(std::size_t behind) {
    advance_to(behind);
    for (std::size_t i = text_.find("#}", position_); i != std::string_view::npos;) {
      const bool signed_mark = i > position_ && (text_[i - 1] == '-' || text_[i - 1] == '+');
      finish_mark(end_of_mark(signed_mark ? i - 1 : i, "#}", false));
      return;
    }
    if (position_ < text_.size()) raise_at(line_, "Missing end of comment tag");
  }

  // End of "raw %}" behind a {%, or `from`. A plain %} of it keeps the newline that follows.
  std::size_t end_of_raw_tag(std::size_t from) const {
    const std::size_t name = end_of_spaces(from);
    if (!text_.substr(name).starts_with("raw")) return from;
    const std::size_t mark = end_of_spaces(name + 3);
    const std::string_view rest = text_.substr(mark);
    if (rest.starts_with("-%}")) return end_of_spaces(mark + 3);
    return rest.starts_with("%}") ? mark + 2 : from;
  }

  // Everything up to {% endraw %} is text.
  void lex_raw() {
    for (std::size_t i = text_.find("{%", position_); i != std::string_view::npos;
         i = text_.find("{%", i + 1)) {
      const char sign =
          i + 2 < text_.size() && (text_[i + 2] == '-' || text_[i + 2] == '+') ? text_[i + 2] : '\0';
      const std::size_t name = end_of_spaces(i + (sign ? 3 : 2));
      if (!text_.substr(name).starts_with("endraw")) continue;
      const std::size_t mark = end_of_spaces(name + 6);
      const std::size_t end = end_of_mark(mark, "%}", false);
      if (end == mark) continue;
      add_text(text_.substr(position_, i - position_), sign, false);
      finish_mark(end);
      return;
    }
    if (position_ < text_.size()) raise_at(line_, "Missing end of raw directive");
  }

  // The tokens of one tag, its end mark included. Inside brackets the mark is no mark.
  void lex_tag(std::string_view mark, bool is_variable) {
    std::string open_brackets;
    while (position_ < text_.size()) {
      if (open_brackets.empty()) {
        if (const std::size_t end = end_of_mark(position_, mark, is_variable); end != position_) {
          add(is_variable ? TokenType::kVariableEnd : TokenType::kBlockEnd, std::string(mark));
          finish_mark(end);
          return;
        }
      }
      if (const std::size_t end = end_of_spaces(position_); end != position_) {
        advance_to(end);
      } else if (!lex_number() && !lex_name() && !lex_string()) {
        lex_operator(open_brackets);
      }
    }
  }

  // Digits with single underscores between them.
  std::size_t end_of_digits(std::size_t from) const {
    while (from < text_.size() && is_digit_character(text_[from])) {
      ++from;
      if (from + 1 < text_.size() && text_[from] == '_' && is_digit_character(text_[from + 1])) ++from;
    }
    return from;
  }

  // End of a float literal at the position, or the position. "1.x" is no float, nor is what follows a dot
  // (xs.0.1).
  std::size_t end_of_float() const {
    if (position_ > 0 && text_[position_ - 1] == '.') return position_;
    const std::size_t whole = end_of_digits(position_);
    if (whole == position_) return position_;
    std::size_t end = whole;
    if (end < text_.size() && text_[end] == '.' && end_of_digits(end + 1) != end + 1)
      end = end_of_digits(end + 1);
    std::size_t exponent = end;
    if (exponent < text_.size() && (text_[exponent] == 'e' || text_[exponent] == 'E')) {
      ++exponent;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (const std::size_t digits = end_of_digits(exponent); digits != exponent) return digits;
    }
    return end == whole ? position_ : end;
  }

  std::size_t end_of_integer() const {
    const auto end_of_based = [&](std::string_view digits) {
      std::size_t end = position_ + 2;
      const auto is_one = [&](std::size_t i) {
        return i < text_.size() && digits.find(text_[i]) != std::string_view::npos;
      };
      while (is_one(end) || (end < text_.size() && text_[end] == '_' && is_one(end + 1))) ++end;
      return end == position_ + 2 ? position_ : end;
    };
    std::size_t based = position_;
    if (peek() == '0') {
      if (peek(1) == 'x' || peek(1) == 'X') based = end_of_based("0123456789abcdefABCDEF");
      if (peek(1) == 'o' || peek(1) == 'O') based = end_of_based("01234567");
      if (peek(1) == 'b' || peek(1) == 'B') based = end_of_based("01");
      if (based != position_) return based;
      std::size_t end = position_ + 1;  // zeros only: 012 is 0 followed by 12
      while (end < text_.size() &&
             (text_[end] == '0' || (text_[end] == '_' && end + 1 < text_.size() && text_[end + 1] == '0')))
        ++end;
      return end;
    }
    return end_of_digits(position_);
  }

  bool lex_number() {
    if (!is_digit_character(peek())) return false;
    const std::size_t float_end = end_of_float();
    const std::size_t end = float_end != position_ ? float_end : end_of_integer();
    std::string literal(text_.substr(position_, end - position_));
    std::erase(literal, '_');
    add(float_end != position_ ? TokenType::kFloat : TokenType::kInteger, std::move(literal));
    advance_to(end);
    return true;
  }

  bool lex_name() {
    std::size_t end = position_;
    if (!is_identifier_start(next_code_point(text_, end))) return false;
    while (end < text_.size()) {
      std::size_t next = end;
      if (!is_identifier_part(next_code_point(text_, next))) break;
      end = next;
    }
    add(TokenType::kName, std::string(text_.substr(position_, end - position_)));
    advance_to(end);
    return true;
  }

  bool lex_string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return false;
    std::size_t end = position_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) raise_at(line_, "string without an end");
    add(TokenType::kString, unescape_literal(text_.substr(position_ + 1, end - position_ - 1), line_));
    advance_to(end + 1);
    return true;
  }

  void lex_operator(std::string& open_brackets) {
    for (const std::string_view pair : {"**", "//", "==", "!=", ">=", "<="}) {
      if (at(pair)) {
        add(TokenType::kOperator, std::string(pair));
        position_ += 2;
        return;
      }
    }
    const char c = peek();
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == std::string_view::npos || c == '\0') {
      std::size_t end = position_;
      next_code_point(text_, end);
      raise_at(line_, "unexpected character '{}'", text_.substr(position_, end - position_));
    }
    if (c == '(' || c == '[' || c == '{') open_brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open_brackets.empty()) raise_at(line_, "unexpected '{}'", c);
      if (open_brackets.back() != c)
        raise_at(line_, "unexpected '{}', expected '{}'", c, open_brackets.back());
      open_brackets.pop_back();
    }
    add(TokenType::kOperator, std::string(1, c));
    ++position_;
  }

  const std::string source_;
  const std::string_view text_;
  std::size_t position_ = 0;
  int line_ = 1;
  bool line_starts_ = true;  // the last mark took a newline along, or nothing was read yet
  std::vector<Token> tokens_;
};

}  // namespace

std::string describe(const Token& token) {
  switch (token.type) {
    case TokenType::kEnd:
      return "end of template";
    case TokenType::kText:
      return "template text";
    case TokenType::kBlockBegin:
      return "begin of statement block";
    case TokenType::kBlockEnd:
      return "end of statement block";
    case TokenType::kVariableBegin:
      return "begin of print statement";
    case TokenType::kVariableEnd:
      return "end of print statement";
    case TokenType::kString:
      return "a string";
    default:
      return "'" + token.text + "'";
  }
}

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace cistern::text::jinja
