// Ops on several residual streams, which lie side by side in each row as heads do: copies in and out, and the
// mixing of alternating updates (Baykal et al. 2023). In place on f32 activations, split over threads by
// rows; a row's result depends on its own values only.
#pragma once

#include <cstdint>

#include "ops/elementwise.h"
#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// Every head += x[t].
void add_to_heads(const Exec& exec, const TensorView& x, const HeadsView& heads);

// out[t] += each head in their order.
void add_heads(const Exec& exec, const HeadsView& heads, const TensorView& out);

// Scales each head to the root mean square of the row's first head of `like`.
void match_magnitude(const Exec& exec, const HeadsView& like, const HeadsView& heads);

// Stream j += sum over i of coefs[t, j * n + i] * stream i, of n streams of equal width. coefs f32 (n * n,
// tokens). REQUIRES: a row fits a thread's scratch.
void predict_streams(const Exec& exec, const TensorView& coefs, const HeadsView& streams);

// Stream j += (1 + coefs[t, j]) * (x[t] - the active stream). coefs f32 (n, tokens). REQUIRES: a row of x
// fits a thread's scratch.
void correct_streams(const Exec& exec, const TensorView& coefs, const TensorView& x, std::uint32_t active,
                     const HeadsView& streams);

}  // namespace cistern::ops
