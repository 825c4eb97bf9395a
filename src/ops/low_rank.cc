#include "ops/low_rank.h"

#include <algorithm>

#include "base/check.h"
#include "ops/parts.h"

namespace cistern::ops {
namespace {

// Rows of B that are turned at once: whole vectors of every ISA.
constexpr std::uint64_t kTileRows = 64;

// One matrix B and the rows that it is added to.
struct Sum {
  const std::byte* b = nullptr;
  std::uint64_t first = 0;  // row of low and out
  std::uint64_t count = 0;
};

// Runs the tiles of every sum: sum_of(i) is sum i of n_sums, low(row) and out(row) are where a row begins.
template <class SumOf, class Low, class Out>
void add_sums(const Exec& exec, const WeightView& b, float scale, std::uint64_t n_sums, std::uint64_t rows,
              const SumOf& sum_of, const Low& low, const Out& out) {
  const std::uint64_t rank = b.shape.cols();
  const std::uint64_t n = b.shape.dim(1);
  CISTERN_CHECK(b.place.is_host() && low_rank_scratch_floats(rank) <= exec.scratch_floats_per_thread);
  const quant::DequantizeFn dequantize = exec.kernels->dequantize[static_cast<std::size_t>(b.dtype)];
  const std::uint64_t tiles = (n + kTileRows - 1) / kTileRows;
  for_group_parts(exec, n_sums, tiles, rows, [&](int thread, std::uint64_t group, Range part) {
    const Sum sum = sum_of(group);
    float* decoded = exec.scratch_of(thread);
    float* turned = decoded + rank * kTileRows;
    for (std::uint64_t tile = part.begin; tile < part.end; ++tile) {
      const std::uint64_t begin = tile * kTileRows;
      const std::uint64_t width = std::min(kTileRows, n - begin);
      dequantize(sum.b + begin * b.row_bytes, decoded, width * rank);
      for (std::uint64_t r = 0; r < width; ++r) {
        for (std::uint64_t k = 0; k < rank; ++k) turned[k * kTileRows + r] = decoded[r * rank + k];
      }
      for (std::uint64_t i = sum.first; i < sum.first + sum.count; ++i) {
        const float* x = low(group, i);
        float* y = out(group, i) + begin;
        for (std::uint64_t k = 0; k < rank; ++k)
          exec.kernels->add_scaled(scale * x[k], turned + k * kTileRows, y, width);
      }
    }
  });
}

}  // namespace

void add_low_rank(const Exec& exec, const WeightView& b, const TensorView& low, float scale,
                  const TensorView& out) {
  const std::uint64_t tokens = low.shape.rows();
  CISTERN_CHECK(low.shape.cols() == b.shape.cols() && out.shape == Shape(b.shape.rows(), tokens));
  add_sums(
      exec, b, scale, 1, tokens, [&](std::uint64_t) { return Sum{b.data, 0, tokens}; },
      [&](std::uint64_t, std::uint64_t i) { return low.row(i); },
      [&](std::uint64_t, std::uint64_t i) { return out.row(i); });
}

void add_low_rank_experts(const Exec& exec, const WeightView& b, const TensorView& low,
                          const RowGroups& groups, float scale, const TensorView& out) {
  CISTERN_CHECK(low.shape.cols() == b.shape.cols() && out.shape.cols() == b.shape.dim(1));
  const std::uint64_t matrix_bytes = b.shape.dim(1) * b.row_bytes;
  add_sums(
      exec, b, scale, groups.matrix.size(), groups.source.size(),
      [&](std::uint64_t g) {
        return Sum{b.data + groups.matrix[g] * matrix_bytes, groups.begin[g],
                   groups.begin[g + 1] - groups.begin[g]};
      },
      [&](std::uint64_t, std::uint64_t i) { return low.row(i); },
      [&](std::uint64_t, std::uint64_t i) { return out.row(i); });
}

void add_low_rank_heads(const Exec& exec, const WeightView& b, const HeadsView& low, float scale,
                        const HeadsView& out) {
  const std::uint64_t tokens = low.rows.shape.rows();
  const bool shared = b.shape.dim(2) == 1;
  CISTERN_CHECK(low.head_dim == b.shape.cols() && out.head_dim == b.shape.dim(1) &&
                low.n_heads == out.n_heads && (shared || b.shape.dim(2) == low.n_heads) &&
                out.rows.shape.rows() == tokens);
  const std::uint64_t matrix_bytes = b.shape.dim(1) * b.row_bytes;
  add_sums(
      exec, b, scale, low.n_heads, tokens * low.n_heads,
      [&](std::uint64_t h) { return Sum{b.data + (shared ? 0 : h * matrix_bytes), 0, tokens}; },
      [&](std::uint64_t h, std::uint64_t i) { return low.head(i, static_cast<std::uint32_t>(h)); },
      [&](std::uint64_t h, std::uint64_t i) { return out.head(i, static_cast<std::uint32_t>(h)); });
}

std::uint64_t low_rank_scratch_floats(std::uint64_t rank) noexcept {
  return 2 * rank * kTileRows;
}

}  // namespace cistern::ops
