// A vector of floats of the baseline: SSE2 on x86-64, NEON on arm64 and what the files of generic/ need of it
// beside arithmetic. Included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kVectorFloats = 4;
typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector multiply_add(const Vector& a, const Vector& b, const Vector& c) noexcept {
  return a * b + c;
}

// Rounded to nearest even, as float_to_half (base/half.h).
inline void store_half(std::uint16_t* out, const Vector& v) noexcept {
  for (std::size_t i = 0; i < kVectorFloats; ++i) out[i] = float_to_half(v[i]);
}

inline Vector load_half(const std::byte* p) noexcept {
  std::uint16_t halves[kVectorFloats];
  std::memcpy(halves, p, sizeof halves);
  Vector v = {};
  for (std::size_t i = 0; i < kVectorFloats; ++i) v[i] = half_to_float(halves[i]);
  return v;
}

}  // namespace
}  // namespace cistern::kernels
