// What generic/multiply_int8.h needs of an ISA, in portable C++. Not a public header.
#pragma once

#include <cstdint>

#include "kernels/scalar/lanes.h"

namespace cistern::kernels {
namespace {

constexpr int kVectors = 4;
constexpr int kDotGroup = 4;
constexpr int kTokens = 2;

inline F32 multiply_add(F32 a, F32 b, F32 c) noexcept {
  F32 result;
  for (int lane = 0; lane < kLanes; ++lane) result[lane] = __builtin_fmaf(a[lane], b[lane], c[lane]);
  return result;
}

template <int /*kCodeBits*/>
struct Sum {
  static constexpr int kOffset = 0;
  static constexpr int kMost = 8;
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
#pragma GCC unroll 4
    for (int column = 0; column < 4; ++column) {
      const I32 q = (I32)(activations << (24 - 8 * column)) >> 24;
      total += (I32)(codes >> (8 * column) & 0xFFU) * q;
    }
  }
  void widen() noexcept {}
};

}  // namespace
}  // namespace cistern::kernels
