#include "ops/matmul.h"

#include <algorithm>

#include "base/check.h"
#include "ops/float_product.h"
#include "ops/packed_input.h"
#include "ops/parts.h"

namespace cistern::ops {
namespace {

using kernels::Arithmetic;
using kernels::kChunkBytes;

PackedInput pack(const Exec& exec, const TensorView& x, Arithmetic arithmetic) {
  const PackedInput input{
      .data = exec.packed.data(), .chunk_stride = chunk_stride(x.shape.rows()), .n_tokens = x.shape.rows()};
  CISTERN_CHECK(packed_activation_bytes(x.shape.cols(), x.shape.rows()) <= exec.packed.size());
  const kernels::PackFn pack_row = exec.kernels->pack[static_cast<std::size_t>(arithmetic)];
  for_shares(exec, x.shape.rows(), 1, [&](int, Range tokens) {
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) {
      pack_row(x.row(t), x.shape.cols(), input.data + t * kChunkBytes, input.chunk_stride);
    }
  });
  return input;
}

// All products of one arithmetic in one parallel run: their row groups are numbered through.
void multiply(const Exec& exec, const TensorView& x, std::span<const Product> products,
              Arithmetic arithmetic) {
  const auto units_of = [&](const Product& product) -> std::uint64_t {
    if (arithmetic_of(exec, product.w) != arithmetic) return 0;
    if (arithmetic != Arithmetic::kFloat) return pairs_of(product.w);
    return (product.w.shape.rows() + kernels::kTileRows - 1) / kernels::kTileRows;
  };
  std::uint64_t units = 0;
  for (const Product& product : products) units += units_of(product);
  if (units == 0) return;
  PackedInput input;
  if (arithmetic != Arithmetic::kFloat) input = pack(exec, x, arithmetic);

  for_parts(exec, units, x.shape.rows(), [&](int thread, Range range) {
    std::uint64_t first = 0;  // number of the product's first unit
    for (const Product& product : products) {
      const std::uint64_t n = units_of(product);
      const Range part{std::clamp(range.begin, first, first + n) - first,
                       std::clamp(range.end, first, first + n) - first};
      first += n;
      if (part.begin == part.end) continue;
      float* scratch = exec.scratch_of(thread);
      if (arithmetic != Arithmetic::kFloat) {
        multiply_pairs(*panel_kernel(exec, product.w), product, input, part,
                       reinterpret_cast<std::byte*>(scratch));
      } else {
        const Range rows{part.begin * kernels::kTileRows,
                         std::min(part.end * kernels::kTileRows, product.w.shape.rows())};
        multiply_float_rows(*exec.kernels, x, product, rows, scratch);
      }
    }
  });
}

}  // namespace

void matmul(const Exec& exec, const TensorView& x, std::span<const Product> products) {
  for (const Product& p : products) {
    CISTERN_CHECK(p.w.place.is_host() && p.w.shape.cols() == x.shape.cols() &&
                  p.w.shape.rows() == p.out.shape.cols() && x.shape.rows() == p.out.shape.rows());
  }
  for (const Arithmetic arithmetic : {Arithmetic::kInt8, Arithmetic::kBf16, Arithmetic::kFloat}) {
    multiply(exec, x, products, arithmetic);
  }
}

void matmul_in_floats(const Exec& exec, const WeightView& w, const TensorView& x, const TensorView& out,
                      const WeightView& bias) {
  const Product product{w, out, bias};
  const std::uint64_t tiles = (w.shape.rows() + kernels::kTileRows - 1) / kernels::kTileRows;
  for_parts(exec, tiles, x.shape.rows(), [&](int thread, Range part) {
    const Range rows{part.begin * kernels::kTileRows,
                     std::min(part.end * kernels::kTileRows, w.shape.rows())};
    multiply_float_rows(*exec.kernels, x, product, rows, exec.scratch_of(thread));
  });
}

void matmul(const Exec& exec, const WeightView& w, const TensorView& x, const TensorView& out,
            const WeightView& bias) {
  const Product product{w, out, bias};
  matmul(exec, x, {&product, 1});
}

std::uint64_t packed_activation_bytes(std::uint64_t max_cols, std::uint64_t tokens) noexcept {
  return packed_bytes(max_cols, tokens);
}

std::uint64_t matmul_scratch_floats(std::uint64_t max_cols, std::uint64_t tokens) noexcept {
  return std::max(float_scratch_floats(max_cols), panel_scratch_bytes(tokens) / sizeof(float));
}

void embed(const Exec& exec, const WeightSlices& rows, float scale, const TensorView& out) {
  const std::uint64_t cols = rows.slice.shape.cols();
  CISTERN_CHECK(rows.slice.place.is_host() && out.shape == Shape(cols, rows.size()));
  const quant::DequantizeFn dequantize = exec.kernels->dequantize[static_cast<std::size_t>(rows.slice.dtype)];
  for_shares(exec, rows.size(), 1, [&](int, Range tokens) {
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) {
      dequantize(rows.data[t], out.row(t), cols);
      if (scale != 1.0F) exec.kernels->scale(scale, out.row(t), cols);
    }
  });
}

void read_rows(const Exec& exec, const WeightView& table, std::uint64_t first, std::uint64_t step,
               const TensorView& out) {
  const std::uint64_t rows = out.shape.rows();
  CISTERN_CHECK(table.place.is_host() && out.shape.cols() == table.shape.cols() && rows > 0 &&
                first + (rows - 1) * step < table.shape.rows());
  const quant::DequantizeFn dequantize = exec.kernels->dequantize[static_cast<std::size_t>(table.dtype)];
  for_shares(exec, rows, 1, [&](int, Range range) {
    for (std::uint64_t t = range.begin; t < range.end; ++t)
      dequantize(table.data + (first + t * step) * table.row_bytes, out.row(t), table.shape.cols());
  });
}

}  // namespace cistern::ops
