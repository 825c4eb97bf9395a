// Python's int: a 64-bit integer that grows when it must. Used by the values and operators of the
// interpreter. Results beyond kMaxBits raise a Failure: chat templates count messages, not atoms. Immutable
// values, cheap to copy; safe to share between threads.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cistern::text::jinja {

struct BigInteger;  // integer.cc: keeps the multiprecision headers out of the other files

class Integer {
 public:
  static constexpr unsigned kMaxBits = 256;

  Integer(int64_t value = 0) : small_(value) {}  // NOLINT: an int is an Integer
  // From an int or float in Python's spelling. Digits only, in `base` 2 to 36, without sign or underscore.
  static Integer from_digits(std::string_view digits, int base);
  static Integer from_double(double value);  // truncates; REQUIRES: finite

  std::optional<int64_t> to_int64() const;  // nullopt when it does not fit
  double to_double() const;                 // nearest; raises when too large
  std::string to_string(int base = 10) const;
  bool is_negative() const;
  bool is_zero() const { return big_ == nullptr && small_ == 0; }

  friend std::strong_ordering operator<=>(const Integer& a, const Integer& b);
  friend bool operator==(const Integer& a, const Integer& b) { return (a <=> b) == 0; }
  friend Integer operator+(const Integer& a, const Integer& b);
  friend Integer operator-(const Integer& a, const Integer& b);
  friend Integer operator*(const Integer& a, const Integer& b);
  Integer operator-() const { return Integer(0) - *this; }

  // Python's //, % and /: floor division, sign of the divisor, correctly rounded. REQUIRES: !b.is_zero().
  static Integer floor_divide(const Integer& a, const Integer& b);
  static Integer modulo(const Integer& a, const Integer& b);
  static double divide(const Integer& a, const Integer& b);
  // REQUIRES: exponent >= 0.
  static Integer power(const Integer& base, const Integer& exponent);

  // Order against a float, exact as in Python; unordered for NaN.
  static std::partial_ordering compare(const Integer& a, double b);

 private:
  static Integer from_big(BigInteger value);

  int64_t small_ = 0;
  std::shared_ptr<const BigInteger> big_;  // set only when the value does not fit small_
};

}  // namespace cistern::text::jinja
