// Integer products of panels and chunks (panel.h), written once over vectors of rows. Included inside a
// target region after the ISA's lanes.h and int8.h, which gives, beside what int8_steps.h needs,
//   kVectors, kTokens      the block of sums that its registers hold: vectors of rows x tokens
// and after step_sums.h or the ISA's own. Not a public header.
#pragma once

#include "kernels/generic/int8_steps.h"
#include "kernels/generic/token_groups.h"

namespace cistern::kernels {
namespace {

constexpr int kBlockRows = kVectors * kLanes;
static_assert(kPanelRows % kBlockRows == 0);

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
    I32 sum[kVectors][T];
    sum_step<S>(block.w, block.row, block.x, step, sum);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      F32 scale{};
      if constexpr (!S::kOneScale) scale = load_lanes<F32>(&block.w.scale[step][block.row + v * kLanes]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const I32 exact = finish_step<S>(sum[v][t], *block.x[t], step);
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
  for_token_groups<kTokens>(tile.n_tokens, [&](int token, int count) {
    for (int row = 0; row < kPairRows; row += kBlockRows) kByCount[count - 1](tile, row, token);
  });
}

template <class Format>
constexpr MultiplyFn multiply_int8 = multiply_pair<SchemeOf<Format>>;

}  // namespace
}  // namespace cistern::kernels
