// What turns the hidden states of a text into one vector: a sum over tokens that goes on from chunk to chunk,
// and the scaling to length 1. Sums are kept in doubles and run token by token, so that neither chunks nor
// threads change a bit.
#pragma once

#include <span>

#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// sums[i] += x[t, i] for every row t, in order. x f32 (columns = size of sums, tokens).
void add_rows(const Exec& exec, const TensorView& x, std::span<double> sums);

// Scales x to Euclidean length 1; zeros stay zeros.
void scale_to_unit_length(std::span<float> x);

}  // namespace cistern::ops
