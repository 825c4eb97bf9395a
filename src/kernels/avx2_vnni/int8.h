// What generic/multiply_int8.h needs of AVX2 with VNNI. Included inside the target region. Not a public
// header.
#pragma once

#include <immintrin.h>

#include "kernels/avx2/lanes.h"

namespace cistern::kernels {
namespace {

constexpr int kVectors = 2;
constexpr int kDotGroup = 4;
constexpr int kTokens = 5;

template <int /*kCodeBits*/>
struct Sum {
  static constexpr int kOffset = 0;
  static constexpr int kMost = 8;
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
    total = (I32)_mm256_dpbusd_avx_epi32((__m256i)total, (__m256i)codes, (__m256i)activations);
  }
  void widen() noexcept {}
};

}  // namespace
}  // namespace cistern::kernels
