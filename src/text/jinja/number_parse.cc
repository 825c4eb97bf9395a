#include "text/jinja/number_parse.h"

#include <charconv>
#include <cmath>
#include <string>

#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

// Without white space around, decimal digits of all scripts as ASCII.
std::string normalized(std::string_view text) {
  std::string out;
  text = strip(text, nullptr, true, true);
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const int digit = c < 0x80 ? -1 : decimal_value(c);
    if (digit >= 0) {
      out += static_cast<char>('0' + digit);
    } else {
      append_code_point(out, c);
    }
  }
  return out;
}

bool is_digit_of(char c, int64_t base) {
  const int value = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 10
                    : c >= 'A' && c <= 'Z' ? c - 'A' + 10
                                           : 99;
  return value < base;
}

// Removes underscores that stand between digits; false when one stands elsewhere.
bool drop_underscores(std::string& text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) {
      return false;
    }
  }
  text = std::move(out);
  return true;
}

}  // namespace

std::optional<Integer> parse_integer(std::string_view raw, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  const std::string text = normalized(raw);
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const auto prefix_base = [&]() -> int64_t {
    if (rest.size() < 2 || rest[0] != '0') return 0;
    switch (rest[1]) {
      case 'x':
      case 'X':
        return 16;
      case 'o':
      case 'O':
        return 8;
      case 'b':
      case 'B':
        return 2;
      default:
        return 0;
    }
  }();
  const bool guess = base == 0;
  if (prefix_base != 0 && (guess || base == prefix_base)) {
    base = prefix_base;
    rest.remove_prefix(2);
    if (rest.starts_with('_')) rest.remove_prefix(1);
  } else if (guess) {
    base = 10;
    // A leading zero is allowed for zero alone.
    if (rest.starts_with('0') && rest.find_first_not_of("0_") != std::string_view::npos) return std::nullopt;
  }
  std::string digits;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '_') {
      if (i == 0 || i + 1 == rest.size() || rest[i - 1] == '_') return std::nullopt;
      continue;
    }
    if (!is_digit_of(rest[i], base)) return std::nullopt;
    digits += rest[i];
  }
  if (digits.empty()) return std::nullopt;
  const Integer value = Integer::from_digits(digits, static_cast<int>(base));
  return negative ? -value : value;
}

std::optional<double> parse_float(std::string_view raw) {
  std::string text = normalized(raw);
  if (!drop_underscores(text)) return std::nullopt;
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || rest[0] == '-' || rest[0] == '+') return std::nullopt;
  double value = 0;
  if (!(rest[0] == '.' || (rest[0] >= '0' && rest[0] <= '9'))) {
    const std::string word = to_lower(rest);
    if (word == "nan") {
      value = std::nan("");
    } else if (word == "inf" || word == "infinity") {
      value = HUGE_VAL;
    } else {
      return std::nullopt;
    }
    return negative ? -value : value;
  }
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (end != rest.data() + rest.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small: the sign of the decimal exponent, digits in front of the point included, tells
    // which.
    value = std::strtod(std::string(rest).c_str(), nullptr);
  }
  return negative ? -value : value;
}

}  // namespace cistern::text::jinja
