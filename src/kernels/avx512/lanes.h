// The vectors that generic/unpack_*.h is written over, for AVX-512: 16 rows in 16 lanes. Included inside the
// target region. Not a public header.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/avx512/transpose.h"

namespace cistern::kernels {
namespace {

constexpr int kLanes = 16;
typedef std::uint32_t U32 __attribute__((vector_size(64)));
typedef std::int32_t I32 __attribute__((vector_size(64)));
typedef std::uint16_t U16 __attribute__((vector_size(64)));
typedef float F32 __attribute__((vector_size(64)));

inline F32 to_float(I32 v) noexcept {
  return (F32)_mm512_cvtepi32_ps((__m512i)v);
}

inline F32 multiply_add(F32 a, F32 b, F32 c) noexcept {
  return (F32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

// The low byte of each lane.
inline void store_bytes(std::int8_t* to, I32 v) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8((__m512i)v));
}

inline std::int32_t largest_lane(I32 v) noexcept {
  return _mm512_reduce_max_epi32((__m512i)v);
}
inline std::int32_t sum_of_lanes(I32 v) noexcept {
  return _mm512_reduce_add_epi32((__m512i)v);
}

// The binary16 in the low half of each lane.
inline F32 half_to_float(U32 v) noexcept {
  return (F32)_mm512_cvtph_ps(_mm512_cvtepi32_epi16((__m512i)v));
}

// The 32 bits at bit kShift of high:low.
template <int kShift>
inline U32 funnel_shift(U32 low, U32 high) noexcept {
  return (U32)_mm512_shrdi_epi32((__m512i)low, (__m512i)high, kShift);
}

// Each byte (below 16) replaced by the table's entry.
inline U32 lookup_bytes(const std::uint8_t (&table)[16], U32 bytes) noexcept {
  const __m512i entries = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return (U32)_mm512_shuffle_epi8(entries, (__m512i)bytes);
}

inline U32 gather(const std::uint32_t* table, U32 index) noexcept {
  return (U32)_mm512_i32gather_epi32((__m512i)index, table, 4);
}

inline __m512i load_16_bytes_of_4_rows(const std::byte* p, std::size_t stride) noexcept {
  const auto at = [&](std::size_t row) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + row * stride));
  };
  __m512i v = _mm512_castsi128_si512(at(0));
  v = _mm512_mask_broadcast_i32x4(v, 0x00F0, at(4));
  v = _mm512_mask_broadcast_i32x4(v, 0x0F00, at(8));
  return _mm512_mask_broadcast_i32x4(v, 0xF000, at(12));
}

// Words 0..3 of 16 rows, word by word: lane r of words[i] is word i of row r.
inline void transpose_16_bytes(const std::byte* rows, std::size_t stride, U32* words) noexcept {
  __m512i out[4];
  transpose_quarters({load_16_bytes_of_4_rows(rows, stride), load_16_bytes_of_4_rows(rows + stride, stride),
                      load_16_bytes_of_4_rows(rows + 2 * stride, stride),
                      load_16_bytes_of_4_rows(rows + 3 * stride, stride)},
                     out);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) words[i] = (U32)out[i];
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx512/unpack_bits.h"
#include "kernels/generic/load_words.h"

namespace cistern::kernels {
namespace {

// Words 0..7 of 16 rows: twice as many for as many loads.
inline void transpose_32_bytes(const std::byte* rows, std::size_t stride, U32* words) noexcept {
  const auto row = [&](int r) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows + static_cast<std::size_t>(r) * stride));
  };
  __m512i in[8];
  __m512i out[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    in[i] = _mm512_inserti64x4(_mm512_castsi256_si512(row(kLowRow[i])), row(kLowRow[i] + 4), 1);
  }
  transpose_8_words(in, out);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) words[i] = (U32)out[i];
}

template <class Ahead>
__attribute__((always_inline)) inline void load_words(const std::byte* rows, std::size_t stride,
                                                      std::size_t n_bytes, U32* words,
                                                      const Ahead& ahead) noexcept {
  std::size_t at = 0;
  for (; at + 32 <= n_bytes; at += 32) {
    ahead.with_load(at, 32);
    transpose_32_bytes(rows + at, stride, words + at / 4);
  }
  load_other_words(rows, stride, n_bytes, words, at, ahead);
}

}  // namespace
}  // namespace cistern::kernels
