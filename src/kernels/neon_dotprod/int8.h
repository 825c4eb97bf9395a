// What generic/multiply_int8.h needs of NEON with dot products. Included inside the target region. Not a
// public header.
#pragma once

#include <arm_neon.h>

#include "kernels/neon/lanes.h"

namespace cistern::kernels {
namespace {

constexpr int kVectors = 4;
constexpr int kDotGroup = 4;
constexpr int kTokens = 4;

// Both factors are signed: codes below 128 as they are, others less 128.
template <int kCodeBits>
struct Sum {
  static constexpr int kOffset = kCodeBits == 8 ? 128 : 0;
  static constexpr int kMost = 8;
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
    if constexpr (kOffset != 0) codes ^= 0x80808080U;
    total = (I32)vdotq_s32((int32x4_t)total, (int8x16_t)codes, (int8x16_t)activations);
  }
  void widen() noexcept {}
};

}  // namespace
}  // namespace cistern::kernels
