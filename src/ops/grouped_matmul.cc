#include "ops/grouped_matmul.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/elementwise_table.h"
#include "ops/float_product.h"
#include "ops/packed_input.h"
#include "ops/parts.h"

namespace cistern::ops {
namespace {

using kernels::Arithmetic;
using kernels::kChunkBytes;

// The input of a call, row by row in the order of the groups, packed for one arithmetic.
class PackedRows {
 public:
  // row(i) is where row i lies, for those in `rows`.
  template <class Row>
  PackedRows(const Exec& exec, Arithmetic arithmetic, std::uint64_t cols, Range rows, const Row& row)
      : arithmetic_(arithmetic),
        cols_(cols),
        first_(rows.begin),
        data_(exec.packed.data()),
        stride_(chunk_stride(rows.end - rows.begin)) {
    const std::uint64_t n_rows = rows.end - rows.begin;
    CISTERN_CHECK(grouped_packed_bytes(cols, n_rows) <= exec.packed.size());
    const kernels::PackFn pack = exec.kernels->pack[static_cast<std::size_t>(arithmetic)];
    for_shares(exec, n_rows, 1, [&](int, Range part) {
      for (std::uint64_t i = first_ + part.begin; i < first_ + part.end; ++i) {
        if (arithmetic == Arithmetic::kFloat) {
          std::memcpy(floats(i), row(i), cols * sizeof(float));
        } else {
          pack(row(i), cols, data_ + (i - first_) * kChunkBytes, stride_);
        }
      }
    });
  }

  Arithmetic arithmetic() const { return arithmetic_; }
  PackedInput chunks(std::uint64_t first, std::uint64_t count) const {
    return {.data = data_ + (first - first_) * kChunkBytes, .chunk_stride = stride_, .n_tokens = count};
  }
  TensorView rows(std::uint64_t first, std::uint64_t count) const {
    return {.shape = Shape(cols_, count), .data = reinterpret_cast<std::byte*>(floats(first))};
  }

 private:
  float* floats(std::uint64_t row) const { return reinterpret_cast<float*>(data_) + (row - first_) * cols_; }

  Arithmetic arithmetic_;
  std::uint64_t cols_;
  std::uint64_t first_;  // number of the first row
  std::byte* data_;
  std::size_t stride_;
};

// Matrix i of a stack.
WeightView matrix_of(const WeightView& w, std::uint64_t i) {
  const std::uint64_t rows = w.shape.dim(1);
  return {.dtype = w.dtype,
          .shape = Shape(w.shape.cols(), rows),
          .data = w.data + i * rows * w.row_bytes,
          .row_bytes = w.row_bytes};
}

WeightView bias_of(const WeightView& bias, std::uint64_t i) {
  if (bias.data == nullptr) return {};
  const std::uint64_t rows = bias.shape.cols();
  return {.shape = Shape(rows), .data = reinterpret_cast<const std::byte*>(bias.f32() + i * rows)};
}

// Of one product: how many units a matrix has, and units [begin, end) of it for some rows of the input.
std::uint64_t units_of(const WeightView& w, Arithmetic arithmetic) {
  const std::uint64_t unit = arithmetic == Arithmetic::kFloat ? kernels::kTileRows : kernels::kPairRows;
  return (w.shape.dim(1) + unit - 1) / unit;
}

Range rows_of(const WeightView& w, Arithmetic arithmetic, Range units) {
  const std::uint64_t unit = arithmetic == Arithmetic::kFloat ? kernels::kTileRows : kernels::kPairRows;
  return {units.begin * unit, std::min(units.end * unit, w.shape.dim(1))};
}

// Rows [first, first + count) of the input; `product` is of one matrix.
void multiply(const Exec& exec, int thread, const PackedRows& input, Range rows, const Product& product,
              Range units) {
  float* scratch = exec.scratch_of(thread);
  const std::uint64_t count = rows.end - rows.begin;
  if (input.arithmetic() == Arithmetic::kFloat) {
    multiply_float_rows(*exec.kernels, input.rows(rows.begin, count), product,
                        rows_of(product.w, Arithmetic::kFloat, units), scratch);
  } else {
    multiply_pairs(*panel_kernel(exec, product.w), product, input.chunks(rows.begin, count), units,
                   reinterpret_cast<std::byte*>(scratch));
  }
}

PackedRows pack_sources(const Exec& exec, Arithmetic arithmetic, const TensorView& x,
                        const RowGroups& groups) {
  return PackedRows(exec, arithmetic, x.shape.cols(), {groups.begin.front(), groups.begin.back()},
                    [&](std::uint64_t i) { return x.row(groups.source[i]); });
}

Product product_of(const ExpertProduct& product, const RowGroups& groups, std::uint64_t g, Range rows) {
  return {.w = product.w[g],
          .out = product.out.rows(rows.begin, rows.end - rows.begin),
          .bias = bias_of(product.bias, groups.matrix[g])};
}

Range rows_of_group(const RowGroups& groups, std::uint64_t g) {
  return {groups.begin[g], groups.begin[g + 1]};
}

void check(const TensorView& x, const RowGroups& groups, const ExpertProduct& p) {
  const WeightView& w = p.w.slice;
  CISTERN_CHECK(w.place.is_host() && w.shape.cols() == x.shape.cols() &&
                w.shape.rows() == p.out.shape.cols() && p.w.size() == groups.matrix.size() &&
                groups.begin.size() == groups.matrix.size() + 1 &&
                groups.begin.back() <= p.out.shape.rows() && groups.begin.back() <= groups.source.size());
}

}  // namespace

void matmul_experts(const Exec& exec, const TensorView& x, const RowGroups& groups,
                    const ExpertProduct& product) {
  check(x, groups, product);
  const Arithmetic arithmetic = arithmetic_of(exec, product.w.slice);
  const PackedRows input = pack_sources(exec, arithmetic, x, groups);
  for_group_parts(exec, groups.matrix.size(), units_of(product.w.slice, arithmetic), groups.n_rows(),
                  [&](int thread, std::uint64_t g, Range units) {
                    const Range rows = rows_of_group(groups, g);
                    multiply(exec, thread, input, rows, product_of(product, groups, g, rows), units);
                  });
}

void matmul_gated_experts(const Exec& exec, const TensorView& x, const RowGroups& groups,
                          const GatedExperts& product) {
  check(x, groups, product.gate);
  check(x, groups, product.up);
  const Arithmetic arithmetic = arithmetic_of(exec, product.gate.w.slice);
  if (arithmetic_of(exec, product.up.w.slice) != arithmetic) {
    matmul_experts(exec, x, groups, product.gate);
    matmul_experts(exec, x, groups, product.up);
    const std::uint32_t first = groups.first_row(), count = groups.n_rows();
    gate(exec, {.fn = product.fn,
                .gate = product.gate.out.rows(first, count),
                .up = product.up.out.rows(first, count),
                .limit = product.limit,
                .out = product.out.rows(first, count)});
    return;
  }
  const PackedRows input = pack_sources(exec, arithmetic, x, groups);
  const auto gate_row =
      kernels::elementwise_kernels(exec.kernels->isa).gate[static_cast<std::size_t>(product.fn)];
  for_group_parts(exec, groups.matrix.size(), units_of(product.gate.w.slice, arithmetic), groups.n_rows(),
                  [&](int thread, std::uint64_t g, Range units) {
                    const Range rows = rows_of_group(groups, g);
                    multiply(exec, thread, input, rows, product_of(product.gate, groups, g, rows), units);
                    multiply(exec, thread, input, rows, product_of(product.up, groups, g, rows), units);
                    const Range cols = rows_of(product.gate.w.slice, arithmetic, units);
                    for (std::uint64_t i = rows.begin; i < rows.end; ++i) {
                      gate_row(product.gate.out.row(i) + cols.begin, product.up.out.row(i) + cols.begin,
                               product.out.row(i) + cols.begin, cols.end - cols.begin, product.limit);
                    }
                  });
}

void matmul_heads(const Exec& exec, const WeightView& w, const HeadsView& x, const HeadsView& out) {
  const std::uint64_t tokens = x.rows.shape.rows();
  const bool shared = w.shape.dim(2) == 1;
  CISTERN_CHECK(w.place.is_host() && w.shape.cols() == x.head_dim && w.shape.dim(1) == out.head_dim &&
                (shared || w.shape.dim(2) == x.n_heads) && out.n_heads == x.n_heads &&
                out.rows.shape.rows() == tokens);
  const Arithmetic arithmetic = arithmetic_of(exec, w);
  const PackedRows input(exec, arithmetic, x.head_dim, {0, tokens * x.n_heads}, [&](std::uint64_t i) {
    return x.head(i % tokens, static_cast<std::uint32_t>(i / tokens));
  });
  for_group_parts(exec, x.n_heads, units_of(w, arithmetic), tokens * x.n_heads,
                  [&](int thread, std::uint64_t h, Range units) {
                    // Rows as far apart as those of `out`, the head's values first.
                    const TensorView head{
                        .shape = out.rows.shape,
                        .data = reinterpret_cast<std::byte*>(out.head(0, static_cast<std::uint32_t>(h)))};
                    multiply(exec, thread, input, {h * tokens, (h + 1) * tokens},
                             {.w = matrix_of(w, shared ? 0 : h), .out = head, .bias = {}}, units);
                  });
}

std::uint64_t grouped_packed_bytes(std::uint64_t max_cols, std::uint64_t rows) noexcept {
  return std::max(packed_bytes(max_cols, rows), max_cols * rows * sizeof(float));
}

}  // namespace cistern::ops
