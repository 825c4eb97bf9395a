#include "ops/matmul.h"

#include <algorithm>

#include "base/check.h"

namespace cistern::ops {
namespace {

using kernels::kTileRows;
using kernels::kTileTokens;

// Rows [first, first + n_rows) of w as floats: in place when they are floats, else decoded into scratch.
struct Panel {
  const float* data = nullptr;
  std::size_t stride = 0;
};

Panel load_panel(const Exec& exec, const WeightView& w, std::uint64_t first, int n_rows, float* scratch) {
  const std::byte* bytes = w.data + first * w.row_bytes;
  const std::size_t cols = w.shape.cols();
  if (w.dtype == DType::kF32) return {reinterpret_cast<const float*>(bytes), cols};
  const quant::DequantizeFn dequantize = exec.kernels->dequantize[static_cast<std::size_t>(w.dtype)];
  for (int r = 0; r < n_rows; ++r) {
    dequantize(bytes + static_cast<std::uint64_t>(r) * w.row_bytes,
               scratch + static_cast<std::size_t>(r) * cols, cols);
  }
  return {scratch, cols};
}

void multiply_rows(const Exec& exec, const WeightView& w, const TensorView& x, const TensorView& out,
                   const WeightView& bias, Range rows, float* scratch) {
  const std::uint64_t tokens = x.shape.rows();
  const std::size_t out_stride = out.shape.cols();
  for (std::uint64_t row = rows.begin; row < rows.end; row += kTileRows) {
    const int n_rows = static_cast<int>(std::min<std::uint64_t>(kTileRows, rows.end - row));
    const Panel panel = load_panel(exec, w, row, n_rows, scratch);
    for (std::uint64_t token = 0; token < tokens; token += kTileTokens) {
      const int n_tokens = static_cast<int>(std::min<std::uint64_t>(kTileTokens, tokens - token));
      float* result = out.row(token) + row;
      exec.kernels->dot_tile({.w = panel.data,
                              .w_stride = panel.stride,
                              .n_rows = n_rows,
                              .x = x.row(token),
                              .x_stride = x.shape.cols(),
                              .n_tokens = n_tokens,
                              .n = w.shape.cols(),
                              .out = result,
                              .out_stride = out_stride});
      if (bias.data == nullptr) continue;
      for (int t = 0; t < n_tokens; ++t) {
        for (int r = 0; r < n_rows; ++r) {
          result[static_cast<std::size_t>(t) * out_stride + static_cast<std::size_t>(r)] +=
              bias.f32()[row + static_cast<std::uint64_t>(r)];
        }
      }
    }
  }
}

}  // namespace

void matmul(const Exec& exec, const WeightView& w, const TensorView& x, const TensorView& out,
            const WeightView& bias) {
  CISTERN_CHECK(w.place.is_host() && w.shape.cols() == x.shape.cols() && w.shape.rows() == out.shape.cols() &&
                x.shape.rows() == out.shape.rows());
  // A share that is no multiple of the tile would still give the same bits; whole tiles are only faster.
  for_shares(exec, w.shape.rows(), kTileRows, [&](int thread, Range rows) {
    multiply_rows(exec, w, x, out, bias, rows, exec.scratch_of(thread));
  });
}

void embed(const Exec& exec, const WeightView& table, std::span<const std::uint32_t> ids, float scale,
           const TensorView& out) {
  CISTERN_CHECK(table.place.is_host() && out.shape == Shape(table.shape.cols(), ids.size()));
  const quant::DequantizeFn dequantize = exec.kernels->dequantize[static_cast<std::size_t>(table.dtype)];
  for_shares(exec, ids.size(), 1, [&](int, Range tokens) {
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) {
      CISTERN_CHECK(ids[t] < table.shape.rows());
      dequantize(table.data + ids[t] * table.row_bytes, out.row(t), table.shape.cols());
      if (scale != 1.0F) exec.kernels->scale(scale, out.row(t), table.shape.cols());
    }
  });
}

}  // namespace cistern::ops
