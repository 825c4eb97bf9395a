// The layers of Gemma 3n and Gemma 4, which join the blocks of blocks.h in ways of their own, and the inputs
// that each of their layers has for itself. Called by run_layer() and the decoder. Errors come from the
// weight store only.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "model/step.h"
#include "model/weights.h"

namespace cistern::model {

// step.per_layer() holds rows of the per-layer embedding; makes them the layers' inputs, with a projection of
// the token's embedding.
Result<void> project_per_layer_inputs(const Step& step, const WeightSet& global, const TensorView& embedded);

// block_out = what layer li adds on account of x and its own input. x f32 (dim), not block_out.
Result<void> per_layer_block(const Step& step, std::uint32_t li, const WeightSet& weights,
                             const TensorView& x);

Result<void> run_layer_gemma4(const Step& step, std::uint32_t li, const WeightSet& weights);
Result<void> run_layer_gemma3n(const Step& step, std::uint32_t li, const WeightSet& weights);

}  // namespace cistern::model
