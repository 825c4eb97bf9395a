// What generic/multiply_int8.h needs of an ISA, in portable C++. Not a public header.
#pragma once

#include <cstdint>

#include "kernels/scalar/lanes.h"

namespace cistern::kernels {
namespace {

constexpr int kVectors = 4;
constexpr int kDotGroup = 4;
constexpr int kTokens = 2;

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
