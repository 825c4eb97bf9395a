#include "model/streams.h"

namespace cistern::model {

Result<void> start_streams(const Step& step, const WeightSet& global) {
  if (step.model.layer_kind == spec::LayerKind::kGemma3n)
    return start_streams_gemma3n(step, global, step.normed());
  start_streams_hyper(step, step.normed());
  return {};
}

Result<void> join_streams(const Step& step, const WeightSet& global, const TensorView& streams,
                          const TensorView& out) {
  return step.model.layer_kind == spec::LayerKind::kGemma3n ? join_streams_gemma3n(step, global, streams, out)
                                                            : join_streams_hyper(step, global, streams, out);
}

}  // namespace cistern::model
