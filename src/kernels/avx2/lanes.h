// The vectors that generic/unpack_*.h and generic/*_int8.h are written over, for AVX2: 8 rows in 8 lanes.
// Included inside the target region. Not a public header.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cistern::kernels {
namespace {

constexpr int kLanes = 8;
typedef std::uint32_t U32 __attribute__((vector_size(32)));
typedef std::int32_t I32 __attribute__((vector_size(32)));
typedef std::uint16_t U16 __attribute__((vector_size(32)));
typedef float F32 __attribute__((vector_size(32)));

inline F32 to_float(I32 v) noexcept {
  return (F32)_mm256_cvtepi32_ps((__m256i)v);
}

inline F32 multiply_add(F32 a, F32 b, F32 c) noexcept {
  return (F32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

// The low byte of each lane.
inline void store_bytes(std::int8_t* to, I32 v) noexcept {
  const __m256i low = _mm256_set1_epi32(0x0C080400);  // into the first word of each half
  const __m256i packed = _mm256_shuffle_epi8((__m256i)v, low);
  const __m128i bytes =
      _mm_unpacklo_epi32(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
}

inline std::int32_t largest_lane(I32 v) noexcept {
  const auto larger = [](__m128i a, __m128i b) { return _mm_max_epi32(a, b); };
  __m128i m = larger(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
  m = larger(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(larger(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(2, 3, 0, 1))));
}
inline std::int32_t sum_of_lanes(I32 v) noexcept {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(1, 0, 3, 2)));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(2, 3, 0, 1))));
}

// The binary16 in the low half of each lane.
inline F32 half_to_float(U32 v) noexcept {
  const __m256i low = (__m256i)(v & 0xFFFFU);  // no saturation in what follows
  const __m128i halves = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
  return (F32)_mm256_cvtph_ps(halves);
}

// The 32 bits at bit kShift of high:low.
template <int kShift>
inline U32 funnel_shift(U32 low, U32 high) noexcept {
  return low >> kShift | high << (32 - kShift);
}

// Each byte (below 16) replaced by the table's entry.
inline U32 lookup_bytes(const std::uint8_t (&table)[16], U32 bytes) noexcept {
  const __m256i entries =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return (U32)_mm256_shuffle_epi8(entries, (__m256i)bytes);
}

inline U32 gather(const std::uint32_t* table, U32 index) noexcept {
  return (U32)_mm256_i32gather_epi32(reinterpret_cast<const int*>(table), (__m256i)index, 4);
}

// ---- what generic/unpack_bits.h has for every ISA, in fewer instructions ----

// Four neighbouring bits, from kFirst on: each as bit kTo of its byte.
template <int kFirst, int kBits, int kTo = 0>
  requires(kBits == 1)
inline U32 spread(U32 v) noexcept {
  constexpr auto kEach = [](auto of) { return of(0) | of(1) << 8 | of(2) << 16 | of(3) << 24; };
  constexpr std::uint32_t kByte = kEach([](int j) { return static_cast<std::uint32_t>(kFirst + j) / 8; });
  constexpr std::uint32_t kBit = kEach([](int j) { return 1U << (kFirst + j) % 8; });
  constexpr std::uint32_t kWord = 0x04040404U;  // the shuffle counts bytes of four words
  const U32 bytes = U32{kByte, kByte + kWord, kByte + 2 * kWord, kByte + 3 * kWord,
                        kByte, kByte + kWord, kByte + 2 * kWord, kByte + 3 * kWord};
  const auto bit = (__m256i)(U32{} + kBit);
  const __m256i found = _mm256_shuffle_epi8((__m256i)v, (__m256i)bytes) & bit;
  return (U32)_mm256_cmpeq_epi8(found, bit) & (0x01010101U << kTo);
}

// Words 0..3 of 8 rows, word by word: lane r of words[i] is word i of row r.
inline void transpose_16_bytes(const std::byte* rows, std::size_t stride, U32* words) noexcept {
  const auto rows_and_fourth_after = [&](std::size_t row) {
    return _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(rows + (row + 4) * stride),
                               reinterpret_cast<const __m128i*>(rows + row * stride));
  };
  const __m256i r0 = rows_and_fourth_after(0);
  const __m256i r1 = rows_and_fourth_after(1);
  const __m256i r2 = rows_and_fourth_after(2);
  const __m256i r3 = rows_and_fourth_after(3);
  const __m256i lo01 = _mm256_unpacklo_epi32(r0, r1);
  const __m256i hi01 = _mm256_unpackhi_epi32(r0, r1);
  const __m256i lo23 = _mm256_unpacklo_epi32(r2, r3);
  const __m256i hi23 = _mm256_unpackhi_epi32(r2, r3);
  words[0] = (U32)_mm256_unpacklo_epi64(lo01, lo23);
  words[1] = (U32)_mm256_unpackhi_epi64(lo01, lo23);
  words[2] = (U32)_mm256_unpacklo_epi64(hi01, hi23);
  words[3] = (U32)_mm256_unpackhi_epi64(hi01, hi23);
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/load_words.h"
