// How activations are packed for a product: the arithmetic that a weight wants, and where the chunks of a row
// lie. Shared by matmul and grouped_matmul; internal to ops/.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/exec.h"
#include "ops/panel_product.h"

namespace cistern::ops {

// Null: the product is computed with floats. Panel kernels work on whole blocks of activations; rows of other
// lengths (tiny models) go as floats.
inline const kernels::PanelKernel* panel_kernel(const Exec& exec, const WeightView& w) {
  const kernels::PanelKernel& kernel = exec.kernels->panel[static_cast<std::size_t>(w.dtype)];
  return kernel.unpack != nullptr && w.shape.cols() % kernels::kBlockValues == 0 ? &kernel : nullptr;
}

inline kernels::Arithmetic arithmetic_of(const Exec& exec, const WeightView& w) {
  const kernels::PanelKernel* kernel = panel_kernel(exec, w);
  return kernel != nullptr ? kernel->arithmetic : kernels::Arithmetic::kFloat;
}

// From one chunk of a row to the next. The chunks of six rows, multiplied together, are 3 KiB: this far
// beyond a multiple of 4 KiB they fill the sets of a first-level cache one after the other.
constexpr std::uint64_t chunk_stride(std::uint64_t rows) noexcept {
  constexpr std::uint64_t kSetsBytes = 4096;
  constexpr std::uint64_t kBeyond = 3072;
  const std::uint64_t least = rows * kernels::kChunkBytes;
  return (least + kSetsBytes - kBeyond - 1) / kSetsBytes * kSetsBytes + kBeyond;
}

constexpr std::uint64_t packed_bytes(std::uint64_t cols, std::uint64_t rows) noexcept {
  return (cols + kernels::kChunkValues - 1) / kernels::kChunkValues * chunk_stride(rows);
}

}  // namespace cistern::ops
