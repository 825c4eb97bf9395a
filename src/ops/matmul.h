// Matrix products of packed weights with float activations, over all threads. Weights are decoded tile by
// tile into per-thread scratch and never copied elsewhere. A result depends only on its own row and token,
// not on how many are computed together or by how many threads.
#pragma once

#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// out[t, r] = sum over c of w[r, c] * x[t, c] (+ bias[r] where bias.data is set).
// w (k columns, n rows) of any weight type; x f32 (k, tokens); out f32 (n, tokens); bias f32 (n).
void matmul(const Exec& exec, const WeightView& w, const TensorView& x, const TensorView& out,
            const WeightView& bias = {});

// out[t, :] = decoded row ids[t] of `table`, times `scale`. REQUIRES: ids below the number of rows.
void embed(const Exec& exec, const WeightView& table, std::span<const std::uint32_t> ids, float scale,
           const TensorView& out);

}  // namespace cistern::ops
