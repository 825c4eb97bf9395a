// What generic/int8.h needs of AVX2. Included inside the target region. Not a public header.
#pragma once

#include <immintrin.h>

#include "kernels/avx2/lanes.h"

namespace cistern::kernels {
namespace {

constexpr int kVectors = 2;
constexpr int kTokens = 4;

inline F32 multiply_add(F32 a, F32 b, F32 c) noexcept {
  return (F32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

typedef std::int16_t I16 __attribute__((vector_size(32)));

inline I32 add_neighbours(I16 pairs) noexcept {
  return (I32)_mm256_madd_epi16((__m256i)pairs, _mm256_set1_epi16(1));
}

// vpmaddubsw adds two products to 16 signed bits: 2 * code * 127, which kMost times does not overflow.
template <int kCodeBits>
struct Sum {
  static constexpr int kOffset = 0;
  static constexpr int kMost = kCodeBits <= 4 ? 8 : kCodeBits == 5 ? 4 : kCodeBits == 6 ? 2 : 1;
  static_assert(kMost * 2 * ((1 << kCodeBits) - 1) * 127 <= 32767);
  I16 pairs{};
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
    pairs += (I16)_mm256_maddubs_epi16((__m256i)codes, (__m256i)activations);
    asm("" : "+x"(pairs));  // add now: g++ 12 would keep all products and add them in the end
  }
  void widen() noexcept {
    total += add_neighbours(pairs);
    asm("" : "+x"(total));
    pairs = I16{};
  }
};

// Codes of 8 bits would not fit. Less 128 they do, with the sign moved to the activations.
template <>
struct Sum<8> {
  static constexpr int kOffset = 128;
  static constexpr int kMost = 1;
  static_assert(kMost * 2 * 128 * 127 <= 32767);
  I16 pairs{};
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
    const auto w = (__m256i)(codes ^ 0x80808080U);
    pairs = (I16)_mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8((__m256i)activations, w));
  }
  void widen() noexcept {
    total += add_neighbours(pairs);
    asm("" : "+x"(total));
  }
};

}  // namespace
}  // namespace cistern::kernels
