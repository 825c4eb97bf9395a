// Integer products for AVX-512 VNNI: what generic/dot_int8.h needs, and its own multiplication of a pair of
// panels. Included inside the target region. Not a public header.
#pragma once

#include "kernels/generic/token_groups.h"
#include "kernels/generic/unpack.h"

namespace cistern::kernels {
namespace {

template <int /*kCodeBits*/>
struct Sum {
  static constexpr int kOffset = 0;
  static constexpr int kMost = 8;
  I32 total{};

  void add(U32 codes, U32 activations) noexcept {
    total = (I32)_mm512_dpbusd_epi32((__m512i)total, (__m512i)codes, (__m512i)activations);
  }
  void widen() noexcept {}
};

constexpr int kDotGroup = 8;
// Tokens multiplied at once: their integer and float sums for two panels, 24 registers, and 5 to work with.
constexpr int kTokens = 6;

inline __m512i broadcast_word(const void* p) noexcept {
  std::int32_t word;
  std::memcpy(&word, p, sizeof word);
  return _mm512_set1_epi32(word);
}

inline const Int8Panel& panel_of(const PairTile& tile, int chunk, int panel) noexcept {
  return *reinterpret_cast<const Int8Panel*>(tile.panels +
                                             static_cast<std::size_t>(2 * chunk + panel) * kPanelBytes);
}

inline const Int8Chunk& chunk_of(const PairTile& tile, int chunk, int token) noexcept {
  return *reinterpret_cast<const Int8Chunk*>(tile.x + static_cast<std::size_t>(chunk) * tile.x_chunk_stride +
                                             static_cast<std::size_t>(token) * kChunkBytes);
}

// The exact integer sums of quads [first, first + n) for T tokens, started at -offset * sum(q).
template <int T, int kQuads>
inline void dot_quads(const Int8Panel* const (&w)[2], const Int8Chunk* x, int first,
                      const __m512i (&start)[T], __m512i (&sum)[2][T]) noexcept {
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) sum[0][t] = sum[1][t] = start[t];
#pragma GCC unroll 8
  for (int i = 0; i < kQuads; ++i) {
    const __m512i w0 = _mm512_load_si512(w[0]->codes[first + i]);
    const __m512i w1 = _mm512_load_si512(w[1]->codes[first + i]);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const __m512i q = broadcast_word(x[t].q + 4 * (first + i));
      sum[0][t] = _mm512_dpbusd_epi32(sum[0][t], w0, q);
      sum[1][t] = _mm512_dpbusd_epi32(sum[1][t], w1, q);
    }
  }
}

// One chunk of T tokens. kGroup: columns under one weight scale (16, 32, or 256 for the whole chunk); kMin:
// columns under one minimum, 0 for none.
template <int kGroup, int kMin, int T>
__attribute__((always_inline)) inline void multiply_chunk(const Int8Panel* const (&w)[2], const Int8Chunk* x,
                                                          int n_blocks, __m128i offset_bits,
                                                          float* const (&out)[T], bool accumulate) noexcept {
  constexpr int kQuads = kGroup == 16 ? 4 : 8;
  constexpr int kSteps = 8 / kQuads;
  __m512 total[2][T];
  __m512i integer[2][T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    total[0][t] = total[1][t] = _mm512_setzero_ps();
    if constexpr (kGroup == 256) integer[0][t] = integer[1][t] = _mm512_setzero_si512();
  }
  for (int b = 0; b < n_blocks; ++b) {
    // The next tokens' chunks, a line of each: those of many tokens come from the third-level cache.
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) __builtin_prefetch(x[T + t].q + b * 64);
#pragma GCC unroll 2
    for (int s = 0; s < kSteps; ++s) {
      const int group = kSteps * b + s;
      __m512i start[T];
      __m512i sum[2][T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        if constexpr (kMin > 0) {
          start[t] = _mm512_setzero_si512();
        } else {
          const std::int32_t* sums = kGroup == 16 ? x[t].negated_sum16 : x[t].negated_sum32;
          start[t] = _mm512_sll_epi32(_mm512_set1_epi32(sums[group]), offset_bits);
        }
      }
      dot_quads<T, kQuads>(w, x, group * kQuads, start, sum);
#pragma GCC unroll 2
      for (int p = 0; p < 2; ++p) {
        const __m512 scale = _mm512_load_ps(w[p]->scale[kGroup == 256 ? 0 : group]);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) {
          const __m512i shifted = _mm512_sllv_epi32(sum[p][t], _mm512_set1_epi32(x[t].shift[b]));
          if constexpr (kGroup == 256) {
            integer[p][t] = _mm512_add_epi32(integer[p][t], shifted);
          } else {
            total[p][t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(shifted), scale, total[p][t]);
          }
        }
      }
    }
  }
#pragma GCC unroll 2
  for (int p = 0; p < 2; ++p) {
    if constexpr (kGroup == 256) {
      const __m512 scale = _mm512_load_ps(w[p]->scale[0]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) total[p][t] = _mm512_mul_ps(_mm512_cvtepi32_ps(integer[p][t]), scale);
    }
    if constexpr (kMin > 0) {
      const int n_mins = n_blocks * kBlockValues / kMin;
      for (int m = 0; m < n_mins; ++m) {
        const __m512 min = _mm512_load_ps(w[p]->min[m]);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) {
          const float* sums = kMin == 16 ? x[t].scaled_sum16 : x[t].scaled_sum32;
          total[p][t] = _mm512_fmadd_ps(min, _mm512_set1_ps(sums[m]), total[p][t]);
        }
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      float* to = out[t] + p * kPanelRows;
      const __m512 before = accumulate ? _mm512_loadu_ps(to) : _mm512_setzero_ps();
      _mm512_storeu_ps(to, _mm512_fmadd_ps(total[p][t], _mm512_set1_ps(x[t].d), before));
    }
  }
}

template <int kGroup, int kMin, int T>
void multiply_tokens(const PairTile& tile, int token) noexcept {
  const __m128i offset_bits = _mm_cvtsi32_si128(tile.offset_bits);
  float* out[T];
  for (int t = 0; t < T; ++t) out[t] = tile.out + static_cast<std::size_t>(token + t) * tile.out_stride;
  for (int chunk = 0; chunk * kChunkValues < tile.n_values; ++chunk) {
    const Int8Panel* w[2] = {&panel_of(tile, chunk, 0), &panel_of(tile, chunk, 1)};
    const Int8Chunk* x = &chunk_of(tile, chunk, token);
    const int n_blocks = std::min(kChunkBlocks, tile.n_values / kBlockValues - chunk * kChunkBlocks);
    multiply_chunk<kGroup, kMin, T>(w, x, n_blocks, offset_bits, out, tile.accumulate || chunk > 0);
  }
}

template <int kGroup, int kMin>
void multiply_pair(const PairTile& tile) noexcept {
  using Multiply = void (*)(const PairTile&, int) noexcept;
  static constexpr Multiply kBySize[kTokens] = {
      multiply_tokens<kGroup, kMin, 1>, multiply_tokens<kGroup, kMin, 2>, multiply_tokens<kGroup, kMin, 3>,
      multiply_tokens<kGroup, kMin, 4>, multiply_tokens<kGroup, kMin, 5>, multiply_tokens<kGroup, kMin, 6>};
  for_token_groups<kTokens>(tile.n_tokens, [&](int token, int count) { kBySize[count - 1](tile, token); });
}

template <class Format>
constexpr MultiplyFn multiply_int8 = multiply_pair<Format::kGroup, Format::kMin>;

}  // namespace
}  // namespace cistern::kernels
