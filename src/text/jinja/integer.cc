#include "text/jinja/integer.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <limits>

#include "text/jinja/failure.h"

namespace cistern::text::jinja {

struct BigInteger {
  boost::multiprecision::cpp_int value;
};

namespace {

using Big = boost::multiprecision::cpp_int;

unsigned bit_count(const Big& value) {
  return value.is_zero() ? 0 : static_cast<unsigned>(boost::multiprecision::msb(abs(value))) + 1;
}

[[noreturn]] void raise_too_large() {
  raise("integer too large (more than {} bits)", Integer::kMaxBits);
}

}  // namespace

Integer Integer::from_big(BigInteger value) {
  if (value.value >= std::numeric_limits<int64_t>::min() &&
      value.value <= std::numeric_limits<int64_t>::max()) {
    return Integer(static_cast<int64_t>(value.value));
  }
  if (bit_count(value.value) > kMaxBits) raise_too_large();
  Integer result;
  result.big_ = std::make_shared<const BigInteger>(std::move(value));
  return result;
}

static Big big_of(const Integer& value, const BigInteger* big) {
  return big ? big->value : Big(*value.to_int64());
}

Integer Integer::from_digits(std::string_view digits, int base) {
  if (digits.size() > kMaxBits) raise_too_large();
  const auto digit_of = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c - 'A' + 10;
  };
  int64_t small = 0;
  std::size_t used = 0;
  for (; used < digits.size() && small <= (std::numeric_limits<int64_t>::max() - 36) / base; ++used) {
    small = small * base + digit_of(digits[used]);
  }
  if (used == digits.size()) return Integer(small);
  Big value = small;
  for (; used < digits.size(); ++used) value = value * base + digit_of(digits[used]);
  return from_big({std::move(value)});
}

Integer Integer::from_double(double value) {
  value = std::trunc(value);
  if (std::abs(value) < 9.2e18) return Integer(static_cast<int64_t>(value));
  return from_big({Big(value)});
}

std::optional<int64_t> Integer::to_int64() const {
  if (big_) return std::nullopt;
  return small_;
}

double Integer::to_double() const {
  return divide(*this, Integer(1));
}

std::string Integer::to_string(int base) const {
  if (base == 10) return big_ ? big_->value.str() : std::to_string(small_);
  Big rest = abs(big_of(*this, big_.get()));
  std::string digits;
  do {
    digits += "0123456789abcdefghijklmnopqrstuvwxyz"[static_cast<int>(rest % base)];
    rest /= base;
  } while (rest != 0);
  if (is_negative()) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

bool Integer::is_negative() const {
  return big_ ? big_->value < 0 : small_ < 0;
}

std::strong_ordering operator<=>(const Integer& a, const Integer& b) {
  if (!a.big_ && !b.big_) return a.small_ <=> b.small_;
  const int order = big_of(a, a.big_.get()).compare(big_of(b, b.big_.get()));
  return order <=> 0;
}

Integer operator+(const Integer& a, const Integer& b) {
  int64_t sum = 0;
  if (!a.big_ && !b.big_ && !__builtin_add_overflow(a.small_, b.small_, &sum)) return Integer(sum);
  return Integer::from_big({big_of(a, a.big_.get()) + big_of(b, b.big_.get())});
}

Integer operator-(const Integer& a, const Integer& b) {
  int64_t difference = 0;
  if (!a.big_ && !b.big_ && !__builtin_sub_overflow(a.small_, b.small_, &difference))
    return Integer(difference);
  return Integer::from_big({big_of(a, a.big_.get()) - big_of(b, b.big_.get())});
}

Integer operator*(const Integer& a, const Integer& b) {
  int64_t product = 0;
  if (!a.big_ && !b.big_ && !__builtin_mul_overflow(a.small_, b.small_, &product)) return Integer(product);
  return Integer::from_big({big_of(a, a.big_.get()) * big_of(b, b.big_.get())});
}

Integer Integer::floor_divide(const Integer& a, const Integer& b) {
  if (!a.big_ && !b.big_ && b.small_ != -1) {
    const int64_t quotient = a.small_ / b.small_;
    return Integer(a.small_ % b.small_ != 0 && (a.small_ < 0) != (b.small_ < 0) ? quotient - 1 : quotient);
  }
  Big quotient;
  Big rest;
  divide_qr(big_of(a, a.big_.get()), big_of(b, b.big_.get()), quotient, rest);
  if (rest != 0 && a.is_negative() != b.is_negative()) --quotient;
  return from_big({std::move(quotient)});
}

Integer Integer::modulo(const Integer& a, const Integer& b) {
  if (!a.big_ && !b.big_) {
    if (b.small_ == -1) return Integer(0);
    const int64_t rest = a.small_ % b.small_;
    return Integer(rest != 0 && (rest < 0) != (b.small_ < 0) ? rest + b.small_ : rest);
  }
  const Big divisor = big_of(b, b.big_.get());
  Big rest = big_of(a, a.big_.get()) % divisor;
  if (rest != 0 && (rest < 0) != (divisor < 0)) rest += divisor;
  return from_big({std::move(rest)});
}

double Integer::divide(const Integer& a, const Integer& b) {
  constexpr int64_t kExact = int64_t{1} << 53;
  const auto is_exact = [](const Integer& x) { return !x.big_ && x.small_ <= kExact && x.small_ >= -kExact; };
  if (is_exact(a) && is_exact(b)) return static_cast<double>(a.small_) / static_cast<double>(b.small_);
  if (a.is_zero()) return b.is_negative() ? -0.0 : 0.0;
  // Scale so that the quotient has 64 bits or more, keep what is lost as a sticky bit, and round once.
  Big numerator = abs(big_of(a, a.big_.get()));
  Big denominator = abs(big_of(b, b.big_.get()));
  const int shift = 66 + static_cast<int>(bit_count(denominator)) - static_cast<int>(bit_count(numerator));
  (shift >= 0 ? numerator : denominator) <<= static_cast<unsigned>(std::abs(shift));
  Big quotient;
  Big rest;
  divide_qr(numerator, denominator, quotient, rest);
  const int exponent = static_cast<int>(bit_count(quotient)) - shift;
  const unsigned excess = bit_count(quotient) - 63;
  if (boost::multiprecision::lsb(quotient) < excess) rest = 1;
  uint64_t mantissa = static_cast<uint64_t>(quotient >> excess);  // 63 bits
  const uint64_t low = mantissa & 0x3FF;                          // 10 bits below the 53 that stay
  mantissa >>= 10;
  if (low > 0x200 || (low == 0x200 && (rest != 0 || (mantissa & 1) != 0))) ++mantissa;
  const double result = std::ldexp(static_cast<double>(mantissa), exponent - 53);
  if (std::isinf(result)) raise("integer too large to convert to a float");
  return a.is_negative() != b.is_negative() ? -result : result;
}

Integer Integer::power(const Integer& base, const Integer& exponent) {
  if (exponent.is_zero()) return Integer(1);
  if (base.is_zero() || base == Integer(1)) return base;
  if (base == Integer(-1)) return modulo(exponent, Integer(2)).is_zero() ? Integer(1) : base;
  const std::optional<int64_t> count = exponent.to_int64();
  const Big value = big_of(base, base.big_.get());
  // 2^(bits-1) <= |base|, so a result beyond the limit is seen before it is computed.
  if (!count || *count > kMaxBits || (bit_count(value) - 1) * static_cast<uint64_t>(*count) > kMaxBits)
    raise_too_large();
  return from_big({pow(value, static_cast<unsigned>(*count))});
}

std::partial_ordering Integer::compare(const Integer& a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (std::isinf(b)) return b > 0 ? std::partial_ordering::less : std::partial_ordering::greater;
  const double whole = std::floor(b);
  const int order = big_of(a, a.big_.get()).compare(Big(whole));
  if (order != 0) return order <=> 0;
  return whole < b ? std::partial_ordering::less : std::partial_ordering::equivalent;
}

}  // namespace cistern::text::jinja
