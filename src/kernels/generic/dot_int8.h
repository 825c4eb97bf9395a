// Integer products of a few tokens with rows as they are unpacked (panel.h, DotFn), over vectors of rows.
// Included inside a target region after the ISA's lanes.h and int8.h, which gives, beside what int8_steps.h
// needs, kDotGroup, the tokens whose sums its registers hold. Not a public header.
#pragma once

#include "kernels/generic/int8_steps.h"
#include "kernels/generic/unpack.h"

namespace cistern::kernels {
namespace {

// Takes what an unpacker gives and multiplies it with T tokens at once, operation for operation as
// multiplication of panels does. Always inlined: a sink that is called lies in memory.
template <class Format, int T>
class DotSink {
  using S = SchemeOf<Format>;
  using Ahead = BlockAhead<bytes_of<Format>(kChunkValues)>;

 public:
  DotSink(const Int8Chunk* x, const Ahead& ahead) noexcept : x_(x), ahead_(ahead) {}

  void scale(int group, F32 v) noexcept { scales_[group] = v; }
  void min(int group, F32 v) noexcept { mins_[group] = v; }

  __attribute__((always_inline)) void codes(int quad, U32 v) noexcept {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      sum_[t].add(v, quad_of(x_[t], quad));
      if constexpr (kMost < S::kQuads) sum_[t].widen();
    }
  }

  __attribute__((always_inline)) void end_group(int step) noexcept {
    ahead_.template with_group<kGroups<Format>>(step);
#pragma GCC unroll 8
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
  Ahead ahead_;
  F32 scales_[kChunkValues / S::kGroup];
  F32 mins_[S::kMin == 0 ? 1 : kChunkValues / 16];
  Sum<S::kCodeBits> sum_[T];
  I32 integer_[T] = {};
  F32 total_[T] = {};
};

// Tokens first_new.. to T - 1 of the group x of a chunk times kLanes rows. A function of its own: within a
// loop over groups, g++ 12 keeps the sums of formats with many groups in memory.
template <class Format, int T>
__attribute__((noinline)) void dot_chunk(const U32* words, int n_values, const Int8Chunk* x,
                                         const std::byte* ahead, int first_new, bool accumulate, float* out,
                                         std::size_t out_stride) noexcept {
  DotSink<Format, T> sink(x, {ahead});
  Format::unpack(words, n_values, sink);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    if (t < first_new) continue;
    store_product(sink.total(t, n_values), x[t], accumulate, out + static_cast<std::size_t>(t) * out_stride);
  }
}

// Tokens in groups of T; a last group that would have fewer begins earlier and computes some again.
template <class Format, int T>
void dot_groups(const RowsTile& tile) noexcept {
  constexpr std::size_t kBytes = bytes_of<Format>(kChunkValues);
  for (int row = 0; row < kPairRows; row += kLanes) {
    const std::byte* rows = tile.rows + static_cast<std::size_t>(row) * tile.row_stride;
    // The next rows, end to end: near enough to be in the first-level cache when their turn comes.
    const std::byte* ahead = rows + kLanes * tile.row_stride;
    for (int chunk = 0; chunk * kChunkValues < tile.n_values; ++chunk, ahead += kLanes * kBytes) {
      const auto i = static_cast<std::size_t>(chunk);
      const auto* x = reinterpret_cast<const Int8Chunk*>(tile.x + i * tile.x_chunk_stride);
      const int n_values = std::min(kChunkValues, tile.n_values - chunk * kChunkValues);
      const Words<Format> words(rows + i * kBytes, tile.row_stride, n_values, BlockAhead<kBytes>{ahead});
      for (int done = 0; done < tile.n_tokens; done += T) {
        const int first = std::min(done, tile.n_tokens - T);
        dot_chunk<Format, T>(words.words, n_values, x + first, ahead, done - first, chunk > 0,
                             tile.out + static_cast<std::size_t>(first) * tile.out_stride + row,
                             tile.out_stride);
      }
    }
  }
}

template <class Format, std::size_t... kLog2>
constexpr std::array<DotFn, sizeof...(kLog2)> dots_by_group(std::index_sequence<kLog2...>) noexcept {
  return {dot_groups<Format, 1 << kLog2>...};
}

// In groups of a power of two, as each size is code of its own.
template <class Format>
void dot_int8(const RowsTile& tile) noexcept {
  static constexpr auto kByGroup =
      dots_by_group<Format>(std::make_index_sequence<std::bit_width(unsigned{kDotGroup})>{});
  kByGroup[std::bit_width(static_cast<unsigned>(std::min(tile.n_tokens, kDotGroup))) - 1](tile);
}

}  // namespace
}  // namespace cistern::kernels
