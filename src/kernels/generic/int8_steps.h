// How integer products are summed, in steps that multiply_int8.h and dot_int8.h share. Included inside a
// target region after the ISA's lanes.h and int8.h, which gives
//   Sum<kCodeBits>         exact integer sums of (code - kOffset) * activation: add(codes, activations) takes
//                          four columns of kLanes rows; after kMost of them at the latest, widen() brings
//                          `total` up to date
// Integers are exact and the float steps come in one order, so every ISA gives the same bits. Not a public
// header.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernels/panel.h"

namespace cistern::kernels {
namespace {

// How a format is multiplied: columns under one weight scale (16, 32, or 256 for the whole chunk), columns
// under one minimum (0 for none), what a code stands above its value, bits of the codes.
template <int kGroupColumns, int kMinColumns, int kCodeOffset, int kBits>
struct Scheme {
  static constexpr int kGroup = kGroupColumns, kMin = kMinColumns, kOffset = kCodeOffset, kCodeBits = kBits;
  static constexpr bool kOneScale = kGroup == kChunkValues;
  static constexpr int kStep = kOneScale ? kBlockValues : kGroup;  // columns per integer sum
  static constexpr int kQuads = kStep / 4;
  static_assert(kStep == 16 || kStep == 32);
};

// Codes reach up to twice their offset. Four bits at least: with fewer, ternary codes would need one more.
template <class Format>
constexpr int code_bits() noexcept {
  if constexpr (Format::kMin > 0) {
    return Format::kCodeBits;
  } else {
    return std::max(Format::kOffsetBits + 1, 4);
  }
}

template <class Format>
using SchemeOf = Scheme<Format::kGroup, Format::kMin, (Format::kMin > 0 ? 0 : 1 << Format::kOffsetBits),
                        code_bits<Format>()>;

template <class Vector, class Element>
inline Vector load_lanes(const Element* p) noexcept {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Four activations in every lane.
inline U32 quad_of(const Int8Chunk& x, int quad) noexcept {
  std::uint32_t word;
  std::memcpy(&word, x.q + 4 * quad, sizeof word);
  return U32{} + word;
}

// A step's exact sum of (code - offset) * q, in units of the chunk.
template <class S>
inline I32 finish_step(I32 sum, const Int8Chunk& x, int step) noexcept {
  constexpr int kLeft = S::kOffset - Sum<S::kCodeBits>::kOffset;
  if constexpr (kLeft != 0) sum += kLeft * (S::kStep == 16 ? x.negated_sum16[step] : x.negated_sum32[step]);
  return sum << x.shift[step * S::kStep / kBlockValues];
}

// total + the minimums times the activations' sums.
template <class S>
inline F32 add_minimum(F32 min, const Int8Chunk& x, int group, F32 total) noexcept {
  const float sum = S::kMin == 16 ? x.scaled_sum16[group] : x.scaled_sum32[group];
  return multiply_add(min, F32{} + sum, total);
}

inline void store_product(F32 total, const Int8Chunk& x, bool accumulate, float* out) noexcept {
  const F32 before = accumulate ? load_lanes<F32>(out) : F32{};
  const F32 after = multiply_add(total, F32{} + x.d, before);
  std::memcpy(out, &after, sizeof after);
}

}  // namespace
}  // namespace cistern::kernels
