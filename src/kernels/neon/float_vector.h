// A vector of floats of NEON and what the files of generic/ need of it beside arithmetic. Included.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace cistern::kernels {
namespace {

constexpr std::size_t kVectorFloats = 4;
typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector multiply_add(const Vector& a, const Vector& b, const Vector& c) noexcept {
  return vfmaq_f32(c, a, b);
}

// Rounded to nearest even, as float_to_half (base/half.h).
inline void store_half(std::uint16_t* out, const Vector& v) noexcept {
  vst1_u16(out, vreinterpret_u16_f16(vcvt_f16_f32(v)));
}

inline Vector load_half(const std::byte* p) noexcept {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(p))));
}

}  // namespace
}  // namespace cistern::kernels
