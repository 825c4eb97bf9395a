#include "sample/portable_math.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace cistern::sample {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLog2E = 0x1.71547652b82fep+0;
// ln 2 in two parts: the first has 21 trailing zero bits, so that k * kLn2High is exact for |k| < 2^11.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

// Adding and subtracting it leaves the nearest integer: its last bit is worth one.
constexpr double kRoundToInteger = 0x1.8p52;
constexpr std::array<double, 14> kInverseFactorials = {
    1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};

double power_of_two(std::int64_t exponent) {  // REQUIRES: -1022 <= exponent <= 1023
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52U);
}

}  // namespace

// exp(x) = 2^k * exp(r) with |r| <= ln(2)/2, where 13 terms of the Taylor series are exact to 2^-56.
double portable_exp(double x) noexcept {
  if (std::isnan(x)) return x;
  if (x > 709.78) return kInfinity;
  if (x < -708.39) return 0;
  const double k = (x * kLog2E + kRoundToInteger) - kRoundToInteger;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = kInverseFactorials.back();
  for (std::size_t n = kInverseFactorials.size() - 1; n-- > 0;) sum = sum * r + kInverseFactorials[n];
  const auto exponent = static_cast<std::int64_t>(k);
  const std::int64_t half = exponent / 2;  // 2^1024 is no double, the product of two halves is
  return sum * power_of_two(half) * power_of_two(exponent - half);
}

// log(x) = e ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), with m in [sqrt(1/2), sqrt(2)).
double portable_log(double x) noexcept {
  if (std::isnan(x) || x == kInfinity) return x;
  if (x < std::numeric_limits<double>::min()) return -kInfinity;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<double>(static_cast<std::int64_t>(bits >> 52U) - 1023);
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFU) | (std::uint64_t{1023} << 52U));
  if (m >= 0x1.6a09e667f3bcdp+0) {
    m *= 0.5;
    exponent += 1;
  }
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double series = 0;
  for (int n = 23; n >= 3; n -= 2) series = (series + 1.0 / n) * s2;
  return exponent * kLn2High + (exponent * kLn2Low + 2 * s * (1 + series));
}

}  // namespace cistern::sample
