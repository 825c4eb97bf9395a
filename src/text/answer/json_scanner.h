// Checks JSON byte by byte as it streams in: where a value ends, and the first byte that makes it no JSON
// (RFC 8259, with complete surrogate pairs; numbers and nesting as Boost.JSON reads them by default). Used
// for the arguments of tool calls, of which nothing wrong may be sent on. Keeps no text. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cistern::text {

class JsonScanner {
 public:
  enum class State {
    kMore,      // the byte belongs to the value, which goes on
    kComplete,  // the byte is the last one of the value
    kBefore,    // the value ended before this byte: a number
    kBad,       // no JSON
  };

  // One byte of one value; white space before it belongs to it. REQUIRES: only kMore so far.
  State feed(char c);

 private:
  enum class Expect : std::uint8_t {
    kValue,
    kValueOrEnd,  // after [
    kKeyOrEnd,    // after {
    kKey,
    kColon,
    kCommaOrEnd,
    kString,
    kEscape,
    kHex,
    kLowEscape,  // the \ of the second half of a surrogate pair
    kLowU,
    kLiteral,
    kMinus,
    kZero,
    kInteger,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
  };

  State begin_value(char c);
  State end_value();
  State in_string(char c);
  State in_hex(char c);
  State in_number(char c);
  State open(bool object);
  State close(bool object);
  State punctuation(char c);

  Expect expect_ = Expect::kValue;
  std::vector<bool> objects_;  // the open containers: object or array
  bool is_key_ = false;
  std::string_view literal_;  // what is left of true, false or null
  std::uint32_t hex_ = 0;
  int digits_ = 0;
  bool low_ = false;  // the escape must be the second half of a pair
};

}  // namespace cistern::text
