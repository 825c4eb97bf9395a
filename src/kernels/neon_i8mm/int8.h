// What generic/dot_int8.h and generic/multiply_int8.h need of NEON with integer matrix products. Included
// inside the target region. Not a public header.
#pragma once

#include <arm_neon.h>

#include "kernels/neon/lanes.h"

namespace cistern::kernels {
namespace {

constexpr int kVectors = 2;
constexpr int kDotGroup = 4;
constexpr int kTokens = 4;

// Unsigned codes times signed activations, as they are.
template <int /*kCodeBits*/>
struct Sum {
  static constexpr int kOffset = 0;
  static constexpr int kMost = 8;
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
    total = (I32)vusdotq_s32((int32x4_t)total, (uint8x16_t)codes, (int8x16_t)activations);
  }
  void widen() noexcept {}
};

}  // namespace
}  // namespace cistern::kernels
