// Models whose residual is several streams side by side: what makes them of the embedding before the first
// layer, and one of them after the last; and the layer that joins them by hyper-connections (Xie et al.
// 2026). Called by run_layer() and the decoder. Errors come from the weight store only.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "model/step.h"
#include "model/weights.h"

namespace cistern::model {

// step.residual() from the embedding in step.normed(). REQUIRES: the model has several streams.
Result<void> start_streams(const Step& step, const WeightSet& global);

// out (dim) = what is left of the streams (n_streams * dim) after the last layer.
Result<void> join_streams(const Step& step, const WeightSet& global, const TensorView& streams,
                          const TensorView& out);

// Each kind's own.
Result<void> start_streams_gemma3n(const Step& step, const WeightSet& global, const TensorView& embedded);
Result<void> join_streams_gemma3n(const Step& step, const WeightSet& global, const TensorView& streams,
                                  const TensorView& out);
void start_streams_hyper(const Step& step, const TensorView& embedded);
Result<void> join_streams_hyper(const Step& step, const WeightSet& global, const TensorView& streams,
                                const TensorView& out);

Result<void> run_layer_hyper(const Step& step, std::uint32_t li, const WeightSet& weights);

}  // namespace cistern::model
