// Low-rank adapters at work (Hu et al. 2021): after a product with a weight, scale * B (A x) of each of its
// adapters is added, in the order in which they were given. Called by blocks.cc and by the blocks whose
// products do not go through it. Memory is the layout's region for adapters; results depend on their own
// tokens only, as the products do.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "model/step.h"
#include "model/weights.h"
#include "ops/elementwise.h"
#include "ops/grouped_matmul.h"

namespace cistern::model {

// How A x is computed: as for a weight of A's type, or with x as it is.
enum class Precision { kPacked, kFloats };

// out += what the adapters of this weight make of x.
Result<void> add_adapters(const Step& step, const WeightSet& weights, spec::Role weight, const TensorView& x,
                          const TensorView& out, Precision precision = Precision::kPacked);

// The same for the rows of experts: `groups` as in the product, out f32 (n, rows of all groups).
Result<void> add_expert_adapters(const Step& step, const WeightSet& weights, spec::Role weight,
                                 const TensorView& x, const ops::RowGroups& groups, const TensorView& out);

// The same for a matrix per head.
Result<void> add_head_adapters(const Step& step, const WeightSet& weights, spec::Role weight,
                               const ops::HeadsView& x, const ops::HeadsView& out);

// out += factor * what the adapters of a table say of these rows of it.
Result<void> add_lookup_adapters(const Step& step, const WeightSet& weights, spec::Role table,
                                 std::span<const std::uint32_t> ids, float factor, const TensorView& out);

}  // namespace cistern::model
