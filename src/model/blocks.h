// The block kinds of a decoder layer, one file each. A block reads the residual stream, computes through the
// step's buffers and adds its result to the residual. Errors come from the weight store only.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/error.h"
#include "model/step.h"
#include "model/weights.h"

namespace cistern::model {

// A weight, the bias that goes with it where the layer has one, and where the product goes.
struct Projection {
  spec::Role weight;
  spec::Role bias;
  TensorView out;
};

// For each projection (at most 4): out = x times the weight, plus the bias.
Result<void> project(const Step& step, const WeightSet& weights, const TensorView& x,
                     std::initializer_list<Projection> projections);

// x = RMSNorm(x) with the norm of that role; nothing where the layer has none.
Result<void> norm_in_place(const Step& step, const WeightSet& weights, spec::Role role, const TensorView& x);

// norm -> q, k, v -> (head norms) -> rope -> KV cache -> attention -> output projection (-> norm) ->
// residual.
Result<void> attention_gqa(const Step& step, std::uint32_t li, const WeightSet& weights);

// norm -> gate, up -> activation(gate) * up -> down (-> norm) -> residual.
Result<void> ffn_gated(const Step& step, std::uint32_t li, const WeightSet& weights);

}  // namespace cistern::model
