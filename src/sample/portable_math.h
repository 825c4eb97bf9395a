// exp and log of doubles built from additions and multiplications only, so that they give the same bits with
// every C library (libm implementations differ in the last place, which could change a drawn token). Accurate
// to a few units in the last place; slower than libm, fast enough for a vocabulary per token. Pure,
// thread-safe.
#pragma once

namespace cistern::sample {

double portable_exp(double x) noexcept;  // 0 below the smallest normal double, +inf above the largest
double portable_log(double x) noexcept;  // -inf for 0 and subnormals; REQUIRES: x >= 0

}  // namespace cistern::sample
