// A product by decoding weights to floats, a few rows at a time: for F32 weights and for formats that an ISA
// has no panel kernel for. Internal to ops/matmul.
#pragma once

#include "ops/matmul.h"

namespace cistern::ops {

std::uint64_t float_scratch_floats(std::uint64_t max_cols) noexcept;

// Rows [rows.begin, rows.end) for all tokens of x.
void multiply_float_rows(const kernels::KernelTable& kernels, const TensorView& x, const Product& product,
                         Range rows, float* scratch) noexcept;

}  // namespace cistern::ops
