// Products of pairs of bfloat16 for avx512-bf16: F16 and BF16 weights, along their rows: memory is read as it
// lies. vdpbf16ps adds the products of a pair in a fixed order and flushes subnormals; a row's sum is that of
// 16 lanes over spans of 8 chunks, added up in one order, whatever the tokens beside it.
#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/overlays.h"

#include "kernels/avx512_bf16/region_begin.h"

#include "kernels/generic/token_groups.h"

namespace cistern::kernels {
namespace {

// Sums held in registers: of kRows rows times kTokens tokens, in 16 lanes each.
constexpr int kRows = 4;
constexpr int kTokens = 6;
constexpr int kVectorValues = 32;
constexpr std::size_t kVectorBytes = 64;
constexpr std::size_t kRowBytes = kChunkValues * 2;  // of a panel
constexpr int kSpanChunks = kMostPassChunks;         // whose products are added lane by lane

// How 32 weights are loaded as bfloat16.
struct FromBf16 {
  static __m512bh load(const std::byte* p) noexcept { return (__m512bh)_mm512_loadu_si512(p); }
};
struct FromHalf {
  static __m512bh load(const std::byte* p) noexcept {
    const auto half = [&](std::size_t byte) {
      return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + byte)));
    };
    return _mm512_cvtne2ps_pbh(half(32), half(0));
  }
};

// What four rows' sums (all tokens') are in: lane r + 4 * t of the result is the sum of row r's lanes for
// token t. Lanes are added to those 8, then 4, 2 and 1 further on.
inline __m512 add_lanes(const __m512 (&a)[kRows], const __m512 (&b)[kRows], const __m512 (&c)[kRows],
                        const __m512 (&d)[kRows]) noexcept {
  const auto to_quarters = [](const __m512(&rows)[kRows]) {
    const __m512 low = _mm512_add_ps(_mm512_shuffle_f32x4(rows[0], rows[1], 0x44),
                                     _mm512_shuffle_f32x4(rows[0], rows[1], 0xEE));
    const __m512 high = _mm512_add_ps(_mm512_shuffle_f32x4(rows[2], rows[3], 0x44),
                                      _mm512_shuffle_f32x4(rows[2], rows[3], 0xEE));
    return _mm512_add_ps(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xDD));
  };
  const auto to_halves = [](__m512 x, __m512 y) {
    const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(x), _mm512_castps_pd(y));
    const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(x), _mm512_castps_pd(y));
    return _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
  };
  const __m512 ab = to_halves(to_quarters(a), to_quarters(b));
  const __m512 cd = to_halves(to_quarters(c), to_quarters(d));
  const __m512 by_row = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x88), _mm512_shuffle_ps(ab, cd, 0xDD));
  const __m512i transpose = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  return _mm512_permutexvar_ps(transpose, by_row);
}

// Writes or adds the sums to T rows of the output.
template <int T>
inline void store_sums(const __m512 (&sum)[T][kRows], bool accumulate, float* out,
                       std::size_t out_stride) noexcept {
#pragma GCC unroll 2
  for (int first = 0; first < T; first += 4) {
    const auto token = [&](int t) -> const __m512(&)[kRows] { return sum[std::min(first + t, T - 1)]; };
    const __m512 tokens = add_lanes(token(0), token(1), token(2), token(3));
    alignas(64) float values[4][kRows];
    _mm512_store_ps(values, tokens);
    for (int t = 0; t < std::min(4, T - first); ++t) {
      float* to = out + static_cast<std::size_t>(first + t) * out_stride;
      const __m128 before = accumulate ? _mm_loadu_ps(to) : _mm_setzero_ps();
      _mm_storeu_ps(to, _mm_add_ps(before, _mm_load_ps(values[t])));
    }
  }
}

// sum += 32 values of the rows, row_stride bytes apart, times those of T tokens, kChunkBytes apart.
template <class From, int T>
inline void add_products(const std::byte* rows, std::size_t row_stride, const std::byte* x,
                         __m512 (&sum)[T][kRows]) noexcept {
  __m512bh w[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) w[r] = From::load(rows + static_cast<std::size_t>(r) * row_stride);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    const auto q = (__m512bh)_mm512_load_si512(x + static_cast<std::size_t>(t) * kChunkBytes);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sum[t][r] = _mm512_dpbf16_ps(sum[t][r], w[r], q);
  }
}

template <int T>
void multiply_tokens(const PairTile& tile, int token) noexcept {
  const std::byte* x = tile.x + static_cast<std::size_t>(token) * kChunkBytes;
  float* out = tile.out + static_cast<std::size_t>(token) * tile.out_stride;
  for (int row = 0; row < kPairRows; row += kRows) {
    const auto r = static_cast<std::size_t>(row);
    const std::byte* rows = tile.panels + r / kPanelRows * kPanelBytes + r % kPanelRows * kRowBytes;
    for (int first = 0; first < tile.n_values; first += kSpanChunks * kChunkValues) {
      const int end = std::min(tile.n_values, first + kSpanChunks * kChunkValues);
      __m512 sum[T][kRows] = {};
      for (int i = first; i < end; i += kVectorValues) {
        const auto chunk = static_cast<std::size_t>(i / kChunkValues);
        const std::size_t byte = static_cast<std::size_t>(i % kChunkValues) / kVectorValues * kVectorBytes;
        add_products<FromBf16, T>(rows + chunk * 2 * kPanelBytes + byte, kRowBytes,
                                  x + chunk * tile.x_chunk_stride + byte, sum);
      }
      store_sums<T>(sum, tile.accumulate || first > 0, out + row, tile.out_stride);
    }
  }
}

void multiply_bf16(const PairTile& tile) noexcept {
  using Multiply = void (*)(const PairTile&, int) noexcept;
  static constexpr Multiply kByCount[kTokens] = {multiply_tokens<1>, multiply_tokens<2>, multiply_tokens<3>,
                                                 multiply_tokens<4>, multiply_tokens<5>, multiply_tokens<6>};
  for_token_groups<kTokens>(tile.n_tokens, [&](int token, int count) { kByCount[count - 1](tile, token); });
}

void pack_bf16(const float* x, std::size_t n, std::byte* chunks, std::size_t chunk_stride) noexcept {
  for (std::size_t i = 0; i < n; i += 32) {
    const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
    std::byte* to = chunks + i / kChunkValues * chunk_stride + i % kChunkValues * 2;
    _mm512_store_si512(to, (__m512i)both);
  }
}

template <class From>
void unpack_16_bit(const std::byte* rows, std::size_t stride, int n_values, std::byte* panel,
                   const std::byte* ahead) noexcept {
  const int n_vectors = n_values / kVectorValues;
  for (int r = 0; r < kPanelRows; ++r) {
    const std::byte* from = rows + static_cast<std::size_t>(r) * stride;
    std::byte* to = panel + static_cast<std::size_t>(r) * kRowBytes;
    for (int v = 0; v < n_vectors; ++v) {
      const std::size_t byte = static_cast<std::size_t>(v) * kVectorBytes;
      __builtin_prefetch(ahead + static_cast<std::size_t>(r * n_vectors) * kVectorBytes + byte);
      _mm512_store_si512(to + byte, (__m512i)From::load(from + byte));
    }
  }
}

// Rows row.. times T tokens from `token` on; asks for the next rows.
template <class From, int T>
void dot_rows(const RowsTile& tile, int row, int token) noexcept {
  const std::byte* rows = tile.rows + static_cast<std::size_t>(row) * tile.row_stride;
  const std::byte* next_rows = rows + kRows * tile.row_stride;
  const std::byte* x = tile.x + static_cast<std::size_t>(token) * kChunkBytes;
  float* out = tile.out + static_cast<std::size_t>(token) * tile.out_stride + row;
  for (int first = 0; first < tile.n_values; first += kSpanChunks * kChunkValues) {
    const int end = std::min(tile.n_values, first + kSpanChunks * kChunkValues);
    __m512 sum[T][kRows] = {};
    for (int i = first; i < end; i += kVectorValues) {
      const auto byte = static_cast<std::size_t>(i) * 2;
      for (std::size_t line = 0; line < kRows; ++line) {
        __builtin_prefetch(next_rows + byte * kRows + line * kVectorBytes);
      }
      add_products<From, T>(rows + byte, tile.row_stride,
                            x + static_cast<std::size_t>(i / kChunkValues) * tile.x_chunk_stride +
                                static_cast<std::size_t>(i % kChunkValues) * 2,
                            sum);
    }
    store_sums<T>(sum, first > 0, out, tile.out_stride);
  }
}

template <class From>
void dot_16_bit(const RowsTile& tile) noexcept {
  using Dot = void (*)(const RowsTile&, int, int) noexcept;
  static constexpr Dot kByCount[kTokens] = {dot_rows<From, 1>, dot_rows<From, 2>, dot_rows<From, 3>,
                                            dot_rows<From, 4>, dot_rows<From, 5>, dot_rows<From, 6>};
  for (int row = 0; row < kPairRows; row += kRows) {
    for_token_groups<kTokens>(tile.n_tokens,
                              [&](int token, int count) { kByCount[count - 1](tile, row, token); });
  }
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx512_bf16/region_end.h"

namespace cistern::kernels {

void overlay_avx512_bf16(KernelTable& table) noexcept {
  table.pack[static_cast<std::size_t>(Arithmetic::kBf16)] = pack_bf16;
  const auto panel = [&](DType dtype, UnpackFn unpack, DotFn dot) {
    table.panel[static_cast<std::size_t>(dtype)] = {.arithmetic = Arithmetic::kBf16,
                                                    .unpack = unpack,
                                                    .multiply = multiply_bf16,
                                                    .dot = dot,
                                                    .pass_chunks = kSpanChunks};
  };
  panel(DType::kF16, unpack_16_bit<FromHalf>, dot_16_bit<FromHalf>);
  panel(DType::kBF16, unpack_16_bit<FromBf16>, dot_16_bit<FromBf16>);
}

}  // namespace cistern::kernels
