// A product by panel kernels: the part that one thread does. Internal to ops/matmul.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/matmul.h"

namespace cistern::ops {

// Rows are handed out in pairs of panels.
inline std::uint64_t pairs_of(const WeightView& w) noexcept {
  return (w.shape.rows() + kernels::kPairRows - 1) / kernels::kPairRows;
}

// The activations of a call: chunk c of token t at data + c * chunk_stride + t * kChunkBytes.
struct PackedInput {
  std::byte* data = nullptr;
  std::size_t chunk_stride = 0;
  std::uint64_t n_tokens = 0;
};

std::uint64_t panel_scratch_bytes(std::uint64_t tokens) noexcept;

// Rows of pairs [pairs.begin, pairs.end), with panel_scratch_bytes(tokens) of 64-byte aligned scratch.
void multiply_pairs(const kernels::PanelKernel& kernel, const Product& product, const PackedInput& input,
                    Range pairs, std::byte* scratch) noexcept;

}  // namespace cistern::ops
