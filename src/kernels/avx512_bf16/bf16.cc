// Products of pairs of bfloat16 for avx512-bf16: F16 and BF16 weights. vdpbf16ps adds the products of a pair
// in a fixed order and flushes subnormals; a row's sum is one chain over ascending columns, whatever the
// tokens beside it.
#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/overlays.h"

#include "kernels/avx512_bf16/region_begin.h"

namespace cistern::kernels {
namespace {

// Tokens multiplied at once: their sums for two panels take 24 registers.
constexpr int kTokens = 12;

inline __m512bh broadcast_pair(const std::uint32_t* p) noexcept {
  return (__m512bh)_mm512_set1_epi32(static_cast<int>(*p));
}

template <int T>
void multiply_tokens(const PairTile& tile, int token) noexcept {
  __m512 sum[2][T];
  float* out = tile.out + static_cast<std::size_t>(token) * tile.out_stride;
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) {
    for (int p = 0; p < 2; ++p) {
      const float* before = out + static_cast<std::size_t>(t) * tile.out_stride + p * kPanelRows;
      sum[p][t] = tile.accumulate ? _mm512_loadu_ps(before) : _mm512_setzero_ps();
    }
  }
  for (int chunk = 0; chunk * kChunkValues < tile.n_values; ++chunk) {
    const auto* w =
        reinterpret_cast<const Bf16Panel*>(tile.panels + static_cast<std::size_t>(chunk) * 2 * kPanelBytes);
    const auto* x =
        reinterpret_cast<const Bf16Chunk*>(tile.x + static_cast<std::size_t>(chunk) * tile.x_chunk_stride +
                                           static_cast<std::size_t>(token) * kChunkBytes);
    const int n_pairs = std::min(kChunkValues, tile.n_values - chunk * kChunkValues) / 2;
#pragma GCC unroll 2
    for (int i = 0; i < n_pairs; ++i) {
      const auto w0 = (__m512bh)_mm512_load_si512(w[0].pairs[i]);
      const auto w1 = (__m512bh)_mm512_load_si512(w[1].pairs[i]);
#pragma GCC unroll 16
      for (int t = 0; t < T; ++t) {
        const __m512bh pair = broadcast_pair(x[t].pairs + i);
        sum[0][t] = _mm512_dpbf16_ps(sum[0][t], w0, pair);
        sum[1][t] = _mm512_dpbf16_ps(sum[1][t], w1, pair);
      }
    }
  }
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) {
    for (int p = 0; p < 2; ++p) {
      _mm512_storeu_ps(out + static_cast<std::size_t>(t) * tile.out_stride + p * kPanelRows, sum[p][t]);
    }
  }
}

void multiply_bf16(const PairTile& tile) noexcept {
  using Multiply = void (*)(const PairTile&, int) noexcept;
  static constexpr Multiply kBySize[kTokens] = {
      multiply_tokens<1>, multiply_tokens<2>,  multiply_tokens<3>,  multiply_tokens<4>,
      multiply_tokens<5>, multiply_tokens<6>,  multiply_tokens<7>,  multiply_tokens<8>,
      multiply_tokens<9>, multiply_tokens<10>, multiply_tokens<11>, multiply_tokens<12>};
  const int n_calls = (tile.n_tokens + kTokens - 1) / kTokens;
  int token = 0;
  for (int call = 0; call < n_calls; ++call) {
    const int size = (tile.n_tokens - token) / (n_calls - call);
    kBySize[size - 1](tile, token);
    token += size;
  }
}

void pack_bf16(const float* x, std::size_t n, std::byte* chunks, std::size_t chunk_stride) noexcept {
  for (std::size_t i = 0; i < n; i += 32) {
    const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
    std::byte* to = chunks + i / kChunkValues * chunk_stride + i % kChunkValues * 2;
    _mm512_store_si512(to, (__m512i)both);
  }
}

struct AsIs {
  __m512i operator()(__m512i v) const noexcept { return v; }
};

struct HalfToBf16 {
  __m512i operator()(__m512i v) const noexcept {
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_cvtph_ps(_mm512_extracti64x4_epi64(v, 1)),
                                        _mm512_cvtph_ps(_mm512_castsi512_si256(v)));
  }
};

// 16 bytes, 4 pairs, of rows row, row + 4, row + 8 and row + 12.
inline __m512i load_4_rows(const std::byte* p, std::size_t stride) noexcept {
  const auto at = [&](std::size_t row) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + row * stride));
  };
  const __m512i v = _mm512_inserti32x4(_mm512_castsi128_si512(at(0)), at(4), 1);
  return _mm512_inserti32x4(_mm512_inserti32x4(v, at(8), 2), at(12), 3);
}

// Four words, eight columns, of 16 rows.
template <class Convert>
inline void transpose_pairs(const std::byte* p, std::size_t stride, __m512i (&words)[4]) noexcept {
  const Convert convert;
  const __m512i r0 = convert(load_4_rows(p, stride));
  const __m512i r1 = convert(load_4_rows(p + stride, stride));
  const __m512i r2 = convert(load_4_rows(p + 2 * stride, stride));
  const __m512i r3 = convert(load_4_rows(p + 3 * stride, stride));
  const __m512i lo01 = _mm512_unpacklo_epi32(r0, r1);
  const __m512i hi01 = _mm512_unpackhi_epi32(r0, r1);
  const __m512i lo23 = _mm512_unpacklo_epi32(r2, r3);
  const __m512i hi23 = _mm512_unpackhi_epi32(r2, r3);
  words[0] = _mm512_unpacklo_epi64(lo01, lo23);
  words[1] = _mm512_unpackhi_epi64(lo01, lo23);
  words[2] = _mm512_unpacklo_epi64(hi01, hi23);
  words[3] = _mm512_unpackhi_epi64(hi01, hi23);
}

template <class Convert>
void unpack_16_bit(const std::byte* rows, std::size_t stride, int n_values, std::byte* panel,
                   const std::byte* ahead) noexcept {
  auto& pairs = reinterpret_cast<Bf16Panel*>(panel)->pairs;
  for (int i = 0; i < n_values / 2; i += 4) {
    for (int line = 0; line < 4; ++line) __builtin_prefetch(ahead + 64 * (i + line));
    __m512i words[4];
    transpose_pairs<Convert>(rows + 4 * i, stride, words);
    for (int j = 0; j < 4; ++j) _mm512_store_si512(pairs[i + j], words[j]);
  }
}

template <class Convert, int T>
void dot_tokens(const RowsTile& tile) noexcept {
  const auto* x = reinterpret_cast<const Bf16Chunk*>(tile.x);
  __m512 sum[T];
  for (int t = 0; t < T; ++t) {
    sum[t] = tile.accumulate ? _mm512_loadu_ps(tile.out + static_cast<std::size_t>(t) * tile.out_stride)
                             : _mm512_setzero_ps();
  }
  for (int i = 0; i < tile.n_values / 2; i += 4) {
    for (int line = 0; line < 4; ++line) __builtin_prefetch(tile.ahead + 64 * (i + line));
    __m512i words[4];
    transpose_pairs<Convert>(tile.rows + 4 * i, tile.row_stride, words);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) {
        sum[t] = _mm512_dpbf16_ps(sum[t], (__m512bh)words[j], broadcast_pair(x[t].pairs + i + j));
      }
    }
  }
  for (int t = 0; t < T; ++t) {
    _mm512_storeu_ps(tile.out + static_cast<std::size_t>(t) * tile.out_stride, sum[t]);
  }
}

template <class Convert>
void dot_16_bit(const RowsTile& tile) noexcept {
  static constexpr DotFn kBySize[kDotTokens] = {dot_tokens<Convert, 1>, dot_tokens<Convert, 2>,
                                                dot_tokens<Convert, 3>, dot_tokens<Convert, 4>};
  kBySize[tile.n_tokens - 1](tile);
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx512_bf16/region_end.h"

namespace cistern::kernels {

void overlay_avx512_bf16(KernelTable& table) noexcept {
  table.pack[static_cast<std::size_t>(Arithmetic::kBf16)] = pack_bf16;
  const auto panel = [&](DType dtype, UnpackFn unpack, DotFn dot) {
    table.panel[static_cast<std::size_t>(dtype)] = {
        .arithmetic = Arithmetic::kBf16, .unpack = unpack, .multiply = multiply_bf16, .dot = dot};
  };
  panel(DType::kF16, unpack_16_bit<HalfToBf16>, dot_16_bit<HalfToBf16>);
  panel(DType::kBF16, unpack_16_bit<AsIs>, dot_16_bit<AsIs>);
}

}  // namespace cistern::kernels
