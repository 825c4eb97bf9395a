// Matrix products of packed weights with float activations, over all threads. Weights are read where they
// lie, in the file's own layout: a pair of panels (kernels/panel.h) is unpacked into per-thread scratch at a
// time and multiplied with all tokens; activations are packed once per call and shared by its products. A
// result depends only on its own row and token, not on how many are computed together or by how many threads.
#pragma once

#include <span>

#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

struct Product {
  WeightView w;     // (k columns, n rows) of any weight type
  TensorView out;   // f32 (n, tokens)
  WeightView bias;  // f32 (n), or no data
};

// For each product: out[t, r] = sum over c of w[r, c] * x[t, c] (+ bias[r]). x f32 (k, tokens).
void matmul(const Exec& exec, const TensorView& x, std::span<const Product> products);

// One product.
void matmul(const Exec& exec, const WeightView& w, const TensorView& x, const TensorView& out,
            const WeightView& bias = {});

// One product with the weights decoded to floats and the activations as they are, whatever the type: where a
// choice hangs on the result.
void matmul_in_floats(const Exec& exec, const WeightView& w, const TensorView& x, const TensorView& out,
                      const WeightView& bias = {});

// Bytes that Exec::packed must have for inputs of up to max_cols columns and `tokens` rows.
std::uint64_t packed_activation_bytes(std::uint64_t max_cols, std::uint64_t tokens) noexcept;

// Floats of scratch that a thread needs for products of up to max_cols columns with up to `tokens` rows.
std::uint64_t matmul_scratch_floats(std::uint64_t max_cols, std::uint64_t tokens) noexcept;

// out[t, :] = decoded row t of `rows`, times `scale`.
void embed(const Exec& exec, const WeightSlices& rows, float scale, const TensorView& out);

// out[t, :] = decoded row first + t * step of `table`. REQUIRES: such rows exist.
void read_rows(const Exec& exec, const WeightView& table, std::uint64_t first, std::uint64_t step,
               const TensorView& out);

}  // namespace cistern::ops
