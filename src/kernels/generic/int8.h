// Integer products of panels and chunks (panel.h), written once over vectors of rows. Included inside a
// target region after the ISA's lanes.h and int8.h, which gives
//   kVectors, kTokens      the block of sums that its registers hold: vectors of rows x tokens
//   multiply_add(a, b, c)  a * b + c, rounded once
//   Sum<kCodeBits>         exact integer sums of (code - kOffset) * activation: add(codes, activations) takes
//                          four columns of kLanes rows; after kMost of them at the latest, widen() brings
//                          `total` up to date
// Integers are exact and the float steps come in one order, so every ISA gives the same bits. Not a public
// header.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernels/generic/unpack.h"

namespace cistern::kernels {
namespace {

constexpr int kBlockRows = kVectors * kLanes;
static_assert(kPanelRows % kBlockRows == 0);

// How a format is multiplied: columns under one weight scale (16, 32, or 256 for the whole chunk), columns
// under one minimum (0 for none), what a code stands above its value, bits of the codes.
template <int kGroupColumns, int kMinColumns, int kCodeOffset, int kBits>
struct Scheme {
  static constexpr int kGroup = kGroupColumns, kMin = kMinColumns, kOffset = kCodeOffset, kCodeBits = kBits;
  static constexpr bool kOneScale = kGroup == kChunkValues;
  static constexpr int kStep = kOneScale ? kBlockValues : kGroup;  // columns per integer sum
  static constexpr int kQuads = kStep / 4;
  static_assert(kStep == 16 || kStep == 32);
};

// Codes reach up to twice their offset. Four bits at least: with fewer, ternary codes would need one more.
template <class Format>
constexpr int code_bits() noexcept {
  if constexpr (Format::kMin > 0) {
    return Format::kCodeBits;
  } else {
    return std::max(Format::kOffsetBits + 1, 4);
  }
}

template <class Format>
using SchemeOf = Scheme<Format::kGroup, Format::kMin, (Format::kMin > 0 ? 0 : 1 << Format::kOffsetBits),
                        code_bits<Format>()>;

template <class Vector, class Element>
inline Vector load_lanes(const Element* p) noexcept {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Four activations in every lane.
inline U32 quad_of(const Int8Chunk& x, int quad) noexcept {
  std::uint32_t word;
  std::memcpy(&word, x.q + 4 * quad, sizeof word);
  return U32{} + word;
}

// A step's exact sum of (code - offset) * q, in units of the chunk.
template <class S>
inline I32 finish_step(I32 sum, const Int8Chunk& x, int step) noexcept {
  constexpr int kLeft = S::kOffset - Sum<S::kCodeBits>::kOffset;
  if constexpr (kLeft != 0) sum += kLeft * (S::kStep == 16 ? x.negated_sum16[step] : x.negated_sum32[step]);
  return sum << x.shift[step * S::kStep / kBlockValues];
}

// total + the minimums times the activations' sums.
template <class S>
inline F32 add_minimum(F32 min, const Int8Chunk& x, int group, F32 total) noexcept {
  const float sum = S::kMin == 16 ? x.scaled_sum16[group] : x.scaled_sum32[group];
  return multiply_add(min, F32{} + sum, total);
}

inline void store_product(F32 total, const Int8Chunk& x, bool accumulate, float* out) noexcept {
  const F32 before = accumulate ? load_lanes<F32>(out) : F32{};
  const F32 after = multiply_add(total, F32{} + x.d, before);
  std::memcpy(out, &after, sizeof after);
}

// A chunk of kBlockRows rows, from `row` on in the panel, and T tokens.
template <int T>
struct Block {
  const Int8Panel& w;
  int row;
  const Int8Chunk* x[T];
  float* out[T];
  int n_values;
  bool accumulate;
};

template <class S, int T>
inline void multiply_block(const Block<T>& block) noexcept {
  F32 total[kVectors][T] = {};
  I32 integer[kVectors][T] = {};
  for (int step = 0; step < block.n_values / S::kStep; ++step) {
    Sum<S::kCodeBits> sum[kVectors][T];
#pragma GCC unroll 8
    for (int i = 0; i < S::kQuads; ++i) {
      const int quad = step * S::kQuads + i;
      U32 codes[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v)
        codes[v] = load_lanes<U32>(&block.w.codes[quad][block.row + v * kLanes]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const U32 q = quad_of(*block.x[t], quad);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[v][t].add(codes[v], q);
      }
      if ((i + 1) % Sum<S::kCodeBits>::kMost == 0 || i + 1 == S::kQuads) {
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
          for (int v = 0; v < kVectors; ++v) sum[v][t].widen();
        }
      }
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      F32 scale{};
      if constexpr (!S::kOneScale) scale = load_lanes<F32>(&block.w.scale[step][block.row + v * kLanes]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const I32 exact = finish_step<S>(sum[v][t].total, *block.x[t], step);
        if constexpr (S::kOneScale) {
          integer[v][t] += exact;
        } else {
          total[v][t] = multiply_add(to_float(exact), scale, total[v][t]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const int row = block.row + v * kLanes;
    if constexpr (S::kOneScale) {
      const F32 scale = load_lanes<F32>(&block.w.scale[0][row]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) total[v][t] = to_float(integer[v][t]) * scale;
    }
    if constexpr (S::kMin > 0) {
      for (int group = 0; group < block.n_values / S::kMin; ++group) {
        const F32 min = load_lanes<F32>(&block.w.min[group][row]);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) total[v][t] = add_minimum<S>(min, *block.x[t], group, total[v][t]);
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      store_product(total[v][t], *block.x[t], block.accumulate, block.out[t] + v * kLanes);
    }
  }
}

// T tokens from `token` on times the rows from `row` on of the pair.
template <class S, int T>
void multiply_tokens(const PairTile& tile, int row, int token) noexcept {
  const auto token_of_tile = static_cast<std::size_t>(token);
  const std::byte* panel = tile.panels + static_cast<std::size_t>(row / kPanelRows) * kPanelBytes;
  const std::byte* chunks = tile.x + token_of_tile * kChunkBytes;
  for (int done = 0; done < tile.n_values; done += kChunkValues) {
    Block<T> block{.w = *reinterpret_cast<const Int8Panel*>(panel),
                   .row = row % kPanelRows,
                   .n_values = std::min(kChunkValues, tile.n_values - done),
                   .accumulate = tile.accumulate || done > 0};
    for (int t = 0; t < T; ++t) {
      block.x[t] = reinterpret_cast<const Int8Chunk*>(chunks) + t;
      block.out[t] = tile.out + (token_of_tile + static_cast<std::size_t>(t)) * tile.out_stride + row;
    }
    multiply_block<S, T>(block);
    panel += 2 * kPanelBytes;
    chunks += tile.x_chunk_stride;
  }
}

using MultiplyTokens = void (*)(const PairTile&, int row, int token) noexcept;

template <class S, std::size_t... kIndex>
constexpr std::array<MultiplyTokens, kTokens> by_count(std::index_sequence<kIndex...>) noexcept {
  return {multiply_tokens<S, static_cast<int>(kIndex) + 1>...};
}

template <class S>
void multiply_pair(const PairTile& tile) noexcept {
  static constexpr auto kByCount = by_count<S>(std::make_index_sequence<kTokens>{});
  // As even as possible: 5 tokens are 3 + 2, not 4 + 1.
  const int n_calls = (tile.n_tokens + kTokens - 1) / kTokens;
  int token = 0;
  for (int call = 0; call < n_calls; ++call) {
    const int count = (tile.n_tokens - token) / (n_calls - call);
    for (int row = 0; row < kPairRows; row += kBlockRows) kByCount[count - 1](tile, row, token);
    token += count;
  }
}

template <class Format>
constexpr MultiplyFn multiply_int8 = multiply_pair<SchemeOf<Format>>;

// Takes what an unpacker gives and multiplies it with T tokens at once, operation for operation as
// multiply_block does. Always inlined: a sink that is called lies in memory.
template <class S, int T>
class DotSink {
 public:
  explicit DotSink(const Int8Chunk* x) noexcept : x_(x) {}

  void scale(int group, F32 v) noexcept { scales_[group] = v; }
  void min(int group, F32 v) noexcept { mins_[group] = v; }

  __attribute__((always_inline)) void codes(int quad, U32 v) noexcept {
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      sum_[t].add(v, quad_of(x_[t], quad));
      if constexpr (kMost < S::kQuads) sum_[t].widen();
    }
  }

  __attribute__((always_inline)) void end_group(int step) noexcept {
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      if constexpr (kMost >= S::kQuads) sum_[t].widen();
      const I32 exact = finish_step<S>(sum_[t].total, x_[t], step);
      if constexpr (S::kOneScale) {
        integer_[t] += exact;
      } else {
        total_[t] = multiply_add(to_float(exact), scales_[step], total_[t]);
      }
      sum_[t] = Sum<S::kCodeBits>();
    }
  }

  // After the last group: the sums of token t before they are scaled by its d.
  F32 total(int t, int n_values) const noexcept {
    F32 total = S::kOneScale ? to_float(integer_[t]) * scales_[0] : total_[t];
    if constexpr (S::kMin > 0) {
      for (int group = 0; group < n_values / S::kMin; ++group) {
        total = add_minimum<S>(mins_[group], x_[t], group, total);
      }
    }
    return total;
  }

 private:
  static constexpr int kMost = Sum<S::kCodeBits>::kMost;

  const Int8Chunk* x_;
  F32 scales_[kChunkValues / S::kGroup];
  F32 mins_[S::kMin == 0 ? 1 : kChunkValues / 16];
  Sum<S::kCodeBits> sum_[T];
  I32 integer_[T] = {};
  F32 total_[T] = {};
};

template <class Format, int T>
void dot_tokens(const RowsTile& tile) noexcept {
  const auto* x = reinterpret_cast<const Int8Chunk*>(tile.x);
  for (int row = 0; row < kPanelRows; row += kLanes) {
    const auto rows_before = static_cast<std::size_t>(row);
    const Words<Format> words(tile.rows + rows_before * tile.row_stride, tile.row_stride, tile.n_values,
                              tile.ahead + rows_before * bytes_of<Format>(tile.n_values));
    DotSink<SchemeOf<Format>, T> sink(x);
    Format::unpack(words.words, tile.n_values, sink);
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      store_product(sink.total(t, tile.n_values), x[t], tile.accumulate,
                    tile.out + static_cast<std::size_t>(t) * tile.out_stride + row);
    }
  }
}

template <class Format>
void dot_int8(const RowsTile& tile) noexcept {
  static constexpr DotFn kByCount[kDotTokens] = {dot_tokens<Format, 1>, dot_tokens<Format, 2>,
                                                 dot_tokens<Format, 3>, dot_tokens<Format, 4>};
  kByCount[tile.n_tokens - 1](tile);
}

}  // namespace
}  // namespace cistern::kernels
