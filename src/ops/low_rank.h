// The second product of a low-rank adapter (Hu et al. 2021), added where it belongs: out += scale * B low,
// for one matrix, for the experts of sorted rows, or for heads. B has few columns, so a tile of its rows is
// turned and each column of it is added to the results as a whole. In place, split over threads by rows of B;
// a result depends on its own row and token only, as in matmul.h.
#pragma once

#include <cstdint>

#include "ops/elementwise.h"
#include "ops/exec.h"
#include "ops/grouped_matmul.h"
#include "tensor/view.h"

namespace cistern::ops {

// out[t] += scale * b times low[t]. b (rank columns, n rows) of any weight type, low f32 (rank, tokens), out
// f32 (n, tokens).
void add_low_rank(const Exec& exec, const WeightView& b, const TensorView& low, float scale,
                  const TensorView& out);

// out[i] += scale * b[matrix of i] times low[i]; the sources of the groups are not used. b (rank, n,
// matrices).
void add_low_rank_experts(const Exec& exec, const WeightView& b, const TensorView& low,
                          const RowGroups& groups, float scale, const TensorView& out);

// Head h of out += scale * b[h] times head h of low. b (rank, n, heads), or one matrix for all heads.
void add_low_rank_heads(const Exec& exec, const WeightView& b, const HeadsView& low, float scale,
                        const HeadsView& out);

// Floats of scratch that each thread needs.
std::uint64_t low_rank_scratch_floats(std::uint64_t rank) noexcept;

}  // namespace cistern::ops
