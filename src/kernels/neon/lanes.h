// The vectors that generic/unpack_*.h and generic/*_int8.h are written over, for NEON: four rows in four
// lanes. Included inside target regions. Not a public header.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cistern::kernels {
namespace {

constexpr int kLanes = 4;
typedef std::uint32_t U32 __attribute__((vector_size(16)));
typedef std::int32_t I32 __attribute__((vector_size(16)));
typedef std::uint16_t U16 __attribute__((vector_size(16)));
typedef float F32 __attribute__((vector_size(16)));

inline F32 to_float(I32 v) noexcept {
  return (F32)vcvtq_f32_s32((int32x4_t)v);
}

inline F32 multiply_add(F32 a, F32 b, F32 c) noexcept {
  return (F32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

// The low byte of each lane.
inline void store_bytes(std::int8_t* to, I32 v) noexcept {
  const int8x8_t bytes = vmovn_s16(vcombine_s16(vmovn_s32((int32x4_t)v), vdup_n_s16(0)));
  std::memcpy(to, &bytes, kLanes);
}

inline std::int32_t largest_lane(I32 v) noexcept {
  return vmaxvq_s32((int32x4_t)v);
}
inline std::int32_t sum_of_lanes(I32 v) noexcept {
  return vaddvq_s32((int32x4_t)v);
}

// The binary16 in the low half of each lane.
inline F32 half_to_float(U32 v) noexcept {
  return (F32)vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32((uint32x4_t)v)));
}

// The 32 bits at bit kShift of high:low.
template <int kShift>
inline U32 funnel_shift(U32 low, U32 high) noexcept {
  return (U32)vsliq_n_u32(vshrq_n_u32((uint32x4_t)low, kShift), (uint32x4_t)high, 32 - kShift);
}

// Each byte (below 16) replaced by the table's entry.
inline U32 lookup_bytes(const std::uint8_t (&table)[16], U32 bytes) noexcept {
  return (U32)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)bytes);
}

inline U32 gather(const std::uint32_t* table, U32 index) noexcept {
  return U32{table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
}

// Words 0..3 of four rows, word by word: lane r of words[i] is word i of row r.
inline void transpose_16_bytes(const std::byte* rows, std::size_t stride, U32* words) noexcept {
  const auto row = [&](std::size_t r) {
    return vreinterpretq_u32_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(rows + r * stride)));
  };
  const uint32x4x2_t even_odd_01 = vtrnq_u32(row(0), row(1));
  const uint32x4x2_t even_odd_23 = vtrnq_u32(row(2), row(3));
  for (int i = 0; i < 2; ++i) {
    const uint64x2_t rows_01 = vreinterpretq_u64_u32(even_odd_01.val[i]);
    const uint64x2_t rows_23 = vreinterpretq_u64_u32(even_odd_23.val[i]);
    words[i] = (U32)vzip1q_u64(rows_01, rows_23);
    words[i + 2] = (U32)vzip2q_u64(rows_01, rows_23);
  }
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/load_words.h"
