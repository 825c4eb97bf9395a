// How a layer that predicts a further token begins (multi-token prediction, DeepSeek-AI 2024): with a token
// and the hidden state of the token before. Called by the decoder of such a model; not thread-safe.
#pragma once

#include "base/error.h"
#include "model/step.h"
#include "model/weights.h"

namespace cistern::model {

// residual() = projection of [norm of residual() | norm of Segment::hidden], row by row: final hidden states,
// after the last norm of the model or layer that they come from. REQUIRES: one sequence; its hidden states
// lie outside the buffers of the step.
Result<void> join_hidden(const Step& step, const WeightSet& global);

}  // namespace cistern::model
