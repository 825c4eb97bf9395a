#include "text/answer/json_scanner.h"

namespace cistern::text {
namespace {

constexpr std::size_t kMostNesting = 32;
constexpr int kMostExponentDigits = 4;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

JsonScanner::State JsonScanner::feed(char c) {
  switch (expect_) {
    case Expect::kString:
    case Expect::kEscape:
    case Expect::kLowEscape:
    case Expect::kLowU:
      return in_string(c);
    case Expect::kHex:
      return in_hex(c);
    case Expect::kLiteral:
      if (c != literal_.front()) return State::kBad;
      literal_.remove_prefix(1);
      return literal_.empty() ? end_value() : State::kMore;
    case Expect::kMinus:
    case Expect::kZero:
    case Expect::kInteger:
    case Expect::kPoint:
    case Expect::kFraction:
    case Expect::kExponent:
    case Expect::kExponentSign:
    case Expect::kExponentDigits:
      return in_number(c);
    default:
      return is_space(c) ? State::kMore : punctuation(c);
  }
}

JsonScanner::State JsonScanner::punctuation(char c) {
  switch (expect_) {
    case Expect::kValueOrEnd:
      return c == ']' ? close(false) : begin_value(c);
    case Expect::kKeyOrEnd:
      if (c == '}') return close(true);
      [[fallthrough]];
    case Expect::kKey:
      if (c != '"') return State::kBad;
      is_key_ = true;
      expect_ = Expect::kString;
      return State::kMore;
    case Expect::kColon:
      if (c != ':') return State::kBad;
      expect_ = Expect::kValue;
      return State::kMore;
    case Expect::kCommaOrEnd:
      if (c == ',') {
        expect_ = objects_.back() ? Expect::kKey : Expect::kValue;
        return State::kMore;
      }
      return c == ']' ? close(false) : c == '}' ? close(true) : State::kBad;
    default:
      return begin_value(c);
  }
}

JsonScanner::State JsonScanner::begin_value(char c) {
  const auto literal = [&](std::string_view rest) {
    literal_ = rest;
    expect_ = Expect::kLiteral;
    return State::kMore;
  };
  switch (c) {
    case '{':
      return open(true);
    case '[':
      return open(false);
    case '"':
      is_key_ = false;
      expect_ = Expect::kString;
      return State::kMore;
    case 't':
      return literal("rue");
    case 'f':
      return literal("alse");
    case 'n':
      return literal("ull");
    case '-':
      expect_ = Expect::kMinus;
      return State::kMore;
    case '0':
      expect_ = Expect::kZero;
      return State::kMore;
    default:
      if (!is_digit(c)) return State::kBad;
      expect_ = Expect::kInteger;
      return State::kMore;
  }
}

JsonScanner::State JsonScanner::end_value() {
  if (objects_.empty()) return State::kComplete;
  expect_ = Expect::kCommaOrEnd;
  return State::kMore;
}

JsonScanner::State JsonScanner::open(bool object) {
  if (objects_.size() == kMostNesting) return State::kBad;
  objects_.push_back(object);
  expect_ = object ? Expect::kKeyOrEnd : Expect::kValueOrEnd;
  return State::kMore;
}

JsonScanner::State JsonScanner::close(bool object) {
  if (objects_.back() != object) return State::kBad;
  objects_.pop_back();
  return end_value();
}

JsonScanner::State JsonScanner::in_string(char c) {
  if (expect_ == Expect::kLowEscape || expect_ == Expect::kLowU) {
    const bool escape = expect_ == Expect::kLowEscape;
    if (c != (escape ? '\\' : 'u')) return State::kBad;
    expect_ = escape ? Expect::kLowU : Expect::kHex;
    low_ = true;
    hex_ = 0;
    digits_ = 0;
    return State::kMore;
  }
  if (expect_ == Expect::kEscape) {
    if (c == 'u') {
      expect_ = Expect::kHex;
      hex_ = 0;
      digits_ = 0;
      return State::kMore;
    }
    expect_ = Expect::kString;
    return std::string_view("\"\\/bfnrt").contains(c) ? State::kMore : State::kBad;
  }
  if (c == '\\') {
    expect_ = Expect::kEscape;
    return State::kMore;
  }
  if (c == '"') {
    if (!is_key_) return end_value();
    expect_ = Expect::kColon;
    return State::kMore;
  }
  return static_cast<unsigned char>(c) < 0x20 ? State::kBad : State::kMore;
}

JsonScanner::State JsonScanner::in_hex(char c) {
  const char lower = static_cast<char>(c | 0x20);
  if (is_digit(c)) {
    hex_ = hex_ * 16 + static_cast<std::uint32_t>(c - '0');
  } else if (lower >= 'a' && lower <= 'f') {
    hex_ = hex_ * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
  } else {
    return State::kBad;
  }
  if (++digits_ < 4) return State::kMore;
  const bool is_low = hex_ >= 0xDC00 && hex_ < 0xE000;
  if (is_low != low_) return State::kBad;
  low_ = false;
  expect_ = hex_ >= 0xD800 && hex_ < 0xDC00 ? Expect::kLowEscape : Expect::kString;
  return State::kMore;
}

JsonScanner::State JsonScanner::in_number(char c) {
  const auto go = [&](Expect next) {
    expect_ = next;
    return State::kMore;
  };
  const bool digit = is_digit(c);
  const bool point = c == '.', exponent = c == 'e' || c == 'E';
  switch (expect_) {
    case Expect::kMinus:
      return digit ? go(c == '0' ? Expect::kZero : Expect::kInteger) : State::kBad;
    case Expect::kPoint:
      return digit ? go(Expect::kFraction) : State::kBad;
    case Expect::kExponent:
      if (c == '+' || c == '-') return go(Expect::kExponentSign);
      [[fallthrough]];
    case Expect::kExponentSign:
      digits_ = 1;
      return digit ? go(Expect::kExponentDigits) : State::kBad;
    case Expect::kExponentDigits:
      if (digit) return ++digits_ > kMostExponentDigits ? State::kBad : State::kMore;
      break;
    case Expect::kInteger:
      if (digit) return State::kMore;
      [[fallthrough]];
    case Expect::kZero:
      if (point) return go(Expect::kPoint);
      if (exponent) return go(Expect::kExponent);
      break;
    default:  // kFraction
      if (digit) return State::kMore;
      if (exponent) return go(Expect::kExponent);
      break;
  }
  if (objects_.empty()) return State::kBefore;
  expect_ = Expect::kCommaOrEnd;
  return is_space(c) ? State::kMore : punctuation(c);
}

}  // namespace cistern::text
