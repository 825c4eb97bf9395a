// What generic/multiply_int8.h needs of AVX2. Included inside the target region. Not a public header.
#pragma once

#include <immintrin.h>

#include "kernels/avx2/lanes.h"

namespace cistern::kernels {
namespace {

constexpr int kVectors = 2;
constexpr int kDotGroup = 4;
constexpr int kTokens = 4;

typedef std::int16_t I16 __attribute__((vector_size(32)));

// vpmaddubsw adds two products of an unsigned and a signed byte to 16 signed bits, which kMost such sums of
// codes below 128 do not overflow. Codes of 8 bits would: their distance from 128 does not, with its sign
// moved to the activations.
template <int kCodeBits>
struct Sum {
  static constexpr int kOffset = kCodeBits == 8 ? 128 : 0;
  static constexpr int kMost = kCodeBits <= 4 ? 8 : kCodeBits == 5 ? 4 : kCodeBits == 6 ? 2 : 1;
  static constexpr int kLargestFactor = kCodeBits == 8 ? 128 : (1 << kCodeBits) - 1;
  static_assert(kCodeBits <= 8 && kMost * 2 * kLargestFactor * 127 <= 32767);
  I16 pairs{};
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
    auto factor = (__m256i)codes;
    auto q = (__m256i)activations;
    if constexpr (kCodeBits == 8) {
      const auto distance = (__m256i)(codes ^ 0x80808080U);
      factor = _mm256_abs_epi8(distance);
      q = _mm256_sign_epi8(q, distance);
    }
    pairs += (I16)_mm256_maddubs_epi16(factor, q);
    // Add now: g++ 12 would keep all products and add them in the end.
    asm("" : "+x"(pairs));
  }
  void widen() noexcept {
    total += (I32)_mm256_madd_epi16((__m256i)pairs, _mm256_set1_epi16(1));
    asm("" : "+x"(total));
    pairs = I16{};
  }
};

}  // namespace
}  // namespace cistern::kernels
