// The vectors that generic/unpack_*.h and generic/*_int8.h are written over, in portable C++: four rows in
// four lanes of the compiler's vectors. The reference for every other ISA. Not a public header.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"

namespace cistern::kernels {
namespace {

constexpr int kLanes = 4;
typedef std::uint32_t U32 __attribute__((vector_size(16)));
typedef std::int32_t I32 __attribute__((vector_size(16)));
typedef std::uint16_t U16 __attribute__((vector_size(16)));
typedef float F32 __attribute__((vector_size(16)));

inline F32 to_float(I32 v) noexcept {
  return __builtin_convertvector(v, F32);
}

inline F32 multiply_add(F32 a, F32 b, F32 c) noexcept {
  F32 result;
  for (int lane = 0; lane < kLanes; ++lane) result[lane] = __builtin_fmaf(a[lane], b[lane], c[lane]);
  return result;
}

// The low byte of each lane.
inline void store_bytes(std::int8_t* to, I32 v) noexcept {
  for (int lane = 0; lane < kLanes; ++lane) to[lane] = static_cast<std::int8_t>(v[lane]);
}

inline std::int32_t largest_lane(I32 v) noexcept {
  return std::max({v[0], v[1], v[2], v[3]});
}
inline std::int32_t sum_of_lanes(I32 v) noexcept {
  return v[0] + v[1] + v[2] + v[3];
}

// The binary16 in the low half of each lane.
inline F32 half_to_float(U32 v) noexcept {
  F32 result;
  for (int lane = 0; lane < kLanes; ++lane) {
    result[lane] = cistern::half_to_float(static_cast<std::uint16_t>(v[lane]));
  }
  return result;
}

// The 32 bits at bit kShift of high:low.
template <int kShift>
inline U32 funnel_shift(U32 low, U32 high) noexcept {
  return low >> kShift | high << (32 - kShift);
}

// Each byte (below 16) replaced by the table's entry.
inline U32 lookup_bytes(const std::uint8_t (&table)[16], U32 bytes) noexcept {
  std::uint8_t result[sizeof(U32)];
  std::memcpy(result, &bytes, sizeof result);
  for (std::uint8_t& byte : result) byte = table[byte];
  std::memcpy(&bytes, result, sizeof result);
  return bytes;
}

inline U32 gather(const std::uint32_t* table, U32 index) noexcept {
  return U32{table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
}

// Words 0..3 of four rows, word by word: lane r of words[i] is word i of row r.
inline void transpose_16_bytes(const std::byte* rows, std::size_t stride, U32* words) noexcept {
  U32 row[4];
  for (std::size_t r = 0; r < 4; ++r) std::memcpy(&row[r], rows + r * stride, sizeof row[r]);
  for (int i = 0; i < 4; ++i) words[i] = U32{row[0][i], row[1][i], row[2][i], row[3][i]};
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/load_words.h"
