// Queries, keys and values as bfloat16 panels for vdpbf16ps, which multiplies pairs: a panel holds, for each
// pair, the 32-bit pairs of 16 lanes one after the other. Keys: pairs of dims, lanes of keys. Values: pairs
// of keys, lanes of dims. A cache row of any type is read 16 values at a time as floats. Included by
// attention.cc inside the avx512_bf16 target region. Not a public header.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention_table.h"
#include "kernels/avx512/transpose.h"

namespace cistern::kernels {
namespace {

// Rounded to nearest even: `low` in the lower 16 values.
inline __m512i to_bf16(__m512 high, __m512 low) noexcept {
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

// Reads the values d..d+15 of a packed row, those of `mask` only: the others are zeros, and not touched.
struct HalfRow {
  static __m512 all(const std::byte* row, std::size_t d) noexcept {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 2 * d)));
  }
  static __m512 some(const std::byte* row, std::size_t d, __mmask16 mask) noexcept {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, row + 2 * d));
  }
};

struct Bf16Row {
  static __m512 widen(__m256i bits) noexcept {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  static __m512 all(const std::byte* row, std::size_t d) noexcept {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 2 * d)));
  }
  static __m512 some(const std::byte* row, std::size_t d, __mmask16 mask) noexcept {
    return widen(_mm256_maskz_loadu_epi16(mask, row + 2 * d));
  }
};

// Blocks of 32 values begin with a half-precision scale.
constexpr std::size_t kBlockValues = 32;

inline __m512 scale_of(const std::byte* block) noexcept {
  std::uint16_t bits;
  std::memcpy(&bits, block, sizeof bits);
  return _mm512_set1_ps(_cvtsh_ss(bits));
}

struct Q8Row {
  static constexpr std::size_t kBytes = 34;
  static __m512 all(const std::byte* row, std::size_t d) noexcept {
    const std::byte* block = row + d / kBlockValues * kBytes;
    const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 2 + d % kBlockValues));
    return _mm512_mul_ps(scale_of(block), _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q)));
  }
  static __m512 some(const std::byte* row, std::size_t d, __mmask16 mask) noexcept {
    return mask == 0 ? _mm512_setzero_ps() : all(row, d);
  }
};

// The first 16 values of a block are the low nibbles, the others the high ones, each less 8.
struct Q4Row {
  static constexpr std::size_t kBytes = 18;
  static __m512 all(const std::byte* row, std::size_t d) noexcept {
    const std::byte* block = row + d / kBlockValues * kBytes;
    const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 2)));
    const __m512i nibbles =
        d % kBlockValues == 0 ? _mm512_and_si512(bytes, _mm512_set1_epi32(15)) : _mm512_srli_epi32(bytes, 4);
    const __m512i q = _mm512_sub_epi32(nibbles, _mm512_set1_epi32(8));
    return _mm512_mul_ps(scale_of(block), _mm512_cvtepi32_ps(q));
  }
  static __m512 some(const std::byte* row, std::size_t d, __mmask16 mask) noexcept {
    return mask == 0 ? _mm512_setzero_ps() : all(row, d);
  }
};

inline __mmask16 mask_of_dims(std::size_t dim, std::size_t d) noexcept {
  return dim - d >= 16 ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << (dim - d)) - 1U);
}

inline bool has_key(const CacheRows& rows, std::size_t key) noexcept {
  return key >= rows.begin && key < rows.end;
}

// Where `key` lies; for a key that is not there, some address of the cache, which is not read.
inline const std::byte* row_of(const CacheRows& rows, std::size_t key) noexcept {
  const std::size_t i = has_key(rows, key) ? key - rows.begin : 0;
  return i < rows.until_wrap ? rows.first + i * rows.row_bytes
                             : rows.ring + (i - rows.until_wrap) * rows.row_bytes;
}

constexpr std::size_t kStripKeys = 16;
constexpr std::size_t kPairBytes = 4;

template <class Row, bool kWhole>
void load_key_strip(const CacheRows& rows, std::size_t first_key, LinesAhead& ahead,
                    std::byte* panel) noexcept {
  const std::byte* row[kStripKeys];
  __mmask16 there[kStripKeys];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kStripKeys; ++i) {
    row[i] = row_of(rows, first_key + i);
    there[i] = has_key(rows, first_key + i) ? 0xFFFF : 0;
  }
  LinesAhead lines = ahead;  // in registers
  for (std::size_t d = 0; d < rows.dim; d += 16) {
    const __mmask16 dims = mask_of_dims(rows.dim, d);
    lines.ask(rows.lines_per_step);
    __m512i two_keys[8];
    __m512i pairs[8];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i) {
      const auto low = static_cast<std::size_t>(kLowRow[i]);
      const std::size_t high = low + 4;
      two_keys[i] = kWhole ? to_bf16(Row::all(row[high], d), Row::all(row[low], d))
                           : to_bf16(Row::some(row[high], d, there[high] & dims),
                                     Row::some(row[low], d, there[low] & dims));
    }
    transpose_8_words(two_keys, pairs);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i) {
      _mm512_storeu_si512(panel + (d / 2 + i) * kBlockKeys * kPairBytes, pairs[i]);
    }
  }
  ahead = lines;
}

template <class Row>
void load_keys_of(const CacheRows& rows, LinesAhead& ahead, std::byte* panel) noexcept {
  for (std::size_t key = 0; key < kBlockKeys; key += kStripKeys) {
    std::byte* strip = panel + key * kPairBytes;
    if (rows.dim % 16 == 0 && key >= rows.begin && key + kStripKeys <= rows.end) {
      load_key_strip<Row, true>(rows, key, ahead, strip);
    } else {
      load_key_strip<Row, false>(rows, key, ahead, strip);
    }
  }
}

template <class Row>
void load_values_of(const CacheRows& rows, LinesAhead& ahead, std::byte* panel) noexcept {
  alignas(64) static constexpr std::uint16_t kInterleave[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                                21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                                11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i interleave = _mm512_load_si512(kInterleave);
  const std::size_t dim = padded_dim(rows.dim);
  LinesAhead lines = ahead;
  for (std::size_t key = 0; key < kBlockKeys; key += 2) {
    const std::byte* even = row_of(rows, key);
    const std::byte* odd = row_of(rows, key + 1);
    lines.ask(rows.lines_per_step);
    std::byte* out = panel + key / 2 * dim * kPairBytes;
    if (rows.dim == dim && has_key(rows, key) && has_key(rows, key + 1)) {
      for (std::size_t d = 0; d < dim; d += 16) {
        const __m512i pairs = to_bf16(Row::all(odd, d), Row::all(even, d));
        _mm512_storeu_si512(out + d * kPairBytes, _mm512_permutexvar_epi16(interleave, pairs));
      }
      continue;
    }
    for (std::size_t d = 0; d < dim; d += 16) {
      const __mmask16 dims = mask_of_dims(rows.dim, d);
      const __m512i pairs = to_bf16(Row::some(odd, d, has_key(rows, key + 1) ? dims : 0),
                                    Row::some(even, d, has_key(rows, key) ? dims : 0));
      _mm512_storeu_si512(out + d * kPairBytes, _mm512_permutexvar_epi16(interleave, pairs));
    }
  }
  ahead = lines;
}

void load_keys(const CacheRows& rows, LinesAhead& ahead, std::byte* panel) noexcept {
  switch (rows.type) {
    case DType::kF16:
      return load_keys_of<HalfRow>(rows, ahead, panel);
    case DType::kBF16:
      return load_keys_of<Bf16Row>(rows, ahead, panel);
    case DType::kQ8_0:
      return load_keys_of<Q8Row>(rows, ahead, panel);
    default:
      return load_keys_of<Q4Row>(rows, ahead, panel);
  }
}

void load_values(const CacheRows& rows, LinesAhead& ahead, std::byte* panel) noexcept {
  switch (rows.type) {
    case DType::kF16:
      return load_values_of<HalfRow>(rows, ahead, panel);
    case DType::kBF16:
      return load_values_of<Bf16Row>(rows, ahead, panel);
    case DType::kQ8_0:
      return load_values_of<Q8Row>(rows, ahead, panel);
    default:
      return load_values_of<Q4Row>(rows, ahead, panel);
  }
}

void pack_query(const float* query, float scale, std::size_t dim, std::byte* packed) noexcept {
  const __m512 factor = _mm512_set1_ps(scale);
  for (std::size_t d = 0; d < dim; d += 16) {
    const __m512 x = _mm512_maskz_loadu_ps(mask_of_dims(dim, d), query + d);
    const __m512i both = to_bf16(_mm512_setzero_ps(), _mm512_mul_ps(x, factor));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(packed + 2 * d), _mm512_castsi512_si256(both));
  }
}

}  // namespace
}  // namespace cistern::kernels
