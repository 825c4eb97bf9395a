#include "ops/float_product.h"

#include <algorithm>

namespace cistern::ops {
namespace {

using kernels::kTileRows;
using kernels::kTileTokens;

// Rows [first, first + n_rows) of w as floats: in place when they are floats, else decoded into scratch.
const float* load_rows(const kernels::KernelTable& kernels, const WeightView& w, std::uint64_t first,
                       int n_rows, float* scratch) noexcept {
  const std::byte* bytes = w.data + first * w.row_bytes;
  const std::size_t cols = w.shape.cols();
  if (w.dtype == DType::kF32) return reinterpret_cast<const float*>(bytes);
  const quant::DequantizeFn dequantize = kernels.dequantize[static_cast<std::size_t>(w.dtype)];
  for (int r = 0; r < n_rows; ++r) {
    dequantize(bytes + static_cast<std::uint64_t>(r) * w.row_bytes,
               scratch + static_cast<std::size_t>(r) * cols, cols);
  }
  return scratch;
}

}  // namespace

std::uint64_t float_scratch_floats(std::uint64_t max_cols) noexcept {
  return max_cols * kTileRows;
}

void multiply_float_rows(const kernels::KernelTable& kernels, const TensorView& x, const Product& product,
                         Range rows, float* scratch) noexcept {
  const std::size_t cols = product.w.shape.cols();
  const std::uint64_t tokens = x.shape.rows();
  const std::size_t out_stride = product.out.shape.cols();
  for (std::uint64_t row = rows.begin; row < rows.end; row += kTileRows) {
    const int n_rows = static_cast<int>(std::min<std::uint64_t>(kTileRows, rows.end - row));
    const float* w = load_rows(kernels, product.w, row, n_rows, scratch);
    for (std::uint64_t token = 0; token < tokens; token += kTileTokens) {
      const int n_tokens = static_cast<int>(std::min<std::uint64_t>(kTileTokens, tokens - token));
      float* result = product.out.row(token) + row;
      kernels.dot_tile({.w = w,
                        .w_stride = cols,
                        .n_rows = n_rows,
                        .x = x.row(token),
                        .x_stride = cols,
                        .n_tokens = n_tokens,
                        .n = cols,
                        .out = result,
                        .out_stride = out_stride});
      if (product.bias.data == nullptr) continue;
      for (int t = 0; t < n_tokens; ++t) {
        for (int r = 0; r < n_rows; ++r) {
          result[static_cast<std::size_t>(t) * out_stride + static_cast<std::size_t>(r)] +=
              product.bias.f32()[row + static_cast<std::uint64_t>(r)];
        }
      }
    }
  }
}

}  // namespace cistern::ops
