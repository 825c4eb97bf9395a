#include "ops/panel_product.h"

#include <algorithm>
#include <cstring>

#include "quant/format.h"

namespace cistern::ops {
namespace {

using kernels::kChunkBytes;
using kernels::kChunkValues;
using kernels::kPairRows;
using kernels::kPanelBytes;
using kernels::kPanelRows;

constexpr std::uint64_t kStoreAhead = 8;  // tokens: rows of the output lie in different pages
constexpr std::size_t kMostChunkBytes = 4 * kChunkValues;  // of a row, in the widest format

// Pairs whose sums are brought forward together where tokens are many: their activations are more than the
// second-level cache holds, and one pass over them serves all the pairs. With few tokens the weights are what
// has to come from far: pair by pair they are read from end to end.
constexpr std::uint64_t kPairsPerPass = 4;
constexpr std::uint64_t kManyTokens = 65;

struct Scratch {
  explicit Scratch(std::byte* base)
      : panels(base),
        rows(panels + kernels::kMostPassChunks * 2 * kPanelBytes),
        sums(reinterpret_cast<float*>(rows + kPanelRows * kMostChunkBytes)) {}

  std::byte* panels;
  std::byte* rows;  // the rows of an incomplete panel, filled up with zeros
  // (kPairRows, tokens) of each pair: rows of the output lie so far apart that they would share cache sets
  float* sums;
};

class PanelProduct {
 public:
  PanelProduct(const kernels::PanelKernel& kernel, const Product& product, const PackedInput& input,
               std::byte* scratch)
      : kernel_(kernel),
        product_(product),
        w_(product.w),
        input_(input),
        scratch_(scratch),
        cols_(static_cast<int>(w_.shape.cols())) {
    const quant::Format& format = quant::format_of(w_.dtype);
    chunk_bytes_ = kChunkValues / format.block_values * format.block_bytes;
  }

  // At most kPairsPerPass of them.
  void run(Range pairs) noexcept {
    if (input_.n_tokens <= kernels::kDotTokens && rows_of(pairs.begin) == kPairRows) {
      dot(pairs.begin);  // one pair, as tokens are few
    } else {
      multiply(pairs);
    }
    for (std::uint64_t pair = pairs.begin; pair < pairs.end; ++pair) store(pair, sums_of(pair - pairs.begin));
  }

 private:
  static std::uint64_t first_row_of(std::uint64_t pair) noexcept { return pair * kPairRows; }
  int rows_of(std::uint64_t pair) const noexcept {
    return static_cast<int>(std::min<std::uint64_t>(w_.shape.rows() - first_row_of(pair), kPairRows));
  }
  float* sums_of(std::uint64_t i) const noexcept { return scratch_.sums + i * kPairRows * input_.n_tokens; }

  const std::byte* chunk_of_row(std::uint64_t row, int chunk) const noexcept {
    return w_.data + row * w_.row_bytes + static_cast<std::size_t>(chunk) * chunk_bytes_;
  }

  // Where the next pair's rows have what this pair's chunk has here: read in this order, the whole matrix is
  // fetched from end to end.
  const std::byte* ahead_of(std::uint64_t pair, int chunk, int panel) const noexcept {
    return chunk_of_row(first_row_of(pair + 1), 0) +
           (2 * static_cast<std::size_t>(chunk) + static_cast<std::size_t>(panel)) * kPanelRows *
               chunk_bytes_;
  }

  void unpack(std::uint64_t pair, int chunk, std::byte* panels) noexcept {
    const int n_values = std::min(kChunkValues, cols_ - chunk * kChunkValues);
    for (int p = 0; p < 2; ++p) {
      const int rows = std::clamp(rows_of(pair) - p * kPanelRows, 0, kPanelRows);
      const std::byte* first =
          chunk_of_row(first_row_of(pair) + static_cast<std::uint64_t>(p * kPanelRows), chunk);
      std::size_t stride = w_.row_bytes;
      if (rows < kPanelRows) {
        const std::size_t bytes = chunk_bytes_ * static_cast<std::size_t>(n_values) / kChunkValues;
        std::memset(scratch_.rows, 0, kPanelRows * chunk_bytes_);
        for (int r = 0; r < rows; ++r) {
          std::memcpy(scratch_.rows + static_cast<std::size_t>(r) * chunk_bytes_,
                      first + static_cast<std::size_t>(r) * stride, bytes);
        }
        first = scratch_.rows;
        stride = chunk_bytes_;
      }
      kernel_.unpack(first, stride, n_values, panels + static_cast<std::size_t>(p) * kPanelBytes,
                     ahead_of(pair, chunk, p));
    }
  }

  void dot(std::uint64_t pair) noexcept {
    kernel_.dot({.rows = chunk_of_row(first_row_of(pair), 0),
                 .row_stride = w_.row_bytes,
                 .x = input_.data,
                 .x_chunk_stride = input_.chunk_stride,
                 .n_values = cols_,
                 .n_tokens = static_cast<int>(input_.n_tokens),
                 .out = scratch_.sums,
                 .out_stride = kPairRows});
  }

  void multiply(Range pairs) noexcept {
    const int n_chunks = (cols_ + kChunkValues - 1) / kChunkValues;
    for (int chunk = 0; chunk < n_chunks; chunk += kernel_.pass_chunks) {
      const int end = std::min(chunk + kernel_.pass_chunks, n_chunks);
      for (std::uint64_t pair = pairs.begin; pair < pairs.end; ++pair) {
        for (int c = chunk; c < end; ++c) {
          unpack(pair, c, scratch_.panels + static_cast<std::size_t>(c - chunk) * 2 * kPanelBytes);
        }
        kernel_.multiply({.panels = scratch_.panels,
                          .x = input_.data + static_cast<std::size_t>(chunk) * input_.chunk_stride,
                          .x_chunk_stride = input_.chunk_stride,
                          .n_values = std::min(end * kChunkValues, cols_) - chunk * kChunkValues,
                          .n_tokens = static_cast<int>(input_.n_tokens),
                          .out = sums_of(pair - pairs.begin),
                          .out_stride = kPairRows,
                          .accumulate = chunk > 0,
                          .offset_bits = kernel_.offset_bits});
      }
    }
  }

  void store(std::uint64_t pair, const float* sums) const noexcept {
    const std::uint64_t first_row = first_row_of(pair);
    const int n_rows = rows_of(pair);
    const float* bias = product_.bias.data != nullptr ? product_.bias.f32() + first_row : nullptr;
    for (std::uint64_t t = 0; t < input_.n_tokens; ++t) {
      const float* from = sums + t * kPairRows;
      float* to = product_.out.row(t) + first_row;
      if (t + kStoreAhead < input_.n_tokens)
        __builtin_prefetch(to + kStoreAhead * product_.out.shape.cols(), 1);
      for (int r = 0; r < n_rows; ++r) to[r] = bias != nullptr ? from[r] + bias[r] : from[r];
    }
  }

  const kernels::PanelKernel& kernel_;
  const Product& product_;
  const WeightView& w_;
  const PackedInput& input_;
  Scratch scratch_;
  int cols_;
  std::size_t chunk_bytes_ = 0;
};

}  // namespace

std::uint64_t panel_scratch_bytes(std::uint64_t tokens) noexcept {
  return kernels::kMostPassChunks * 2 * kPanelBytes + kPanelRows * kMostChunkBytes +
         kPairsPerPass * kPairRows * tokens * sizeof(float);
}

void multiply_pairs(const kernels::PanelKernel& kernel, const Product& product, const PackedInput& input,
                    Range pairs, std::byte* scratch) noexcept {
  PanelProduct panel_product(kernel, product, input, scratch);
  const std::uint64_t step = input.n_tokens >= kManyTokens ? kPairsPerPass : 1;
  for (std::uint64_t pair = pairs.begin; pair < pairs.end; pair += step) {
    panel_product.run({pair, std::min(pair + step, pairs.end)});
  }
}

}  // namespace cistern::ops
