// What Gemma 3n and Gemma 4 have in common: windowed layers with a rope of their own, attention without a
// scale, caches that later layers read, inputs that each layer has for itself. Called by their builders.
#pragma once

#include "base/error.h"
#include "spec/builder.h"

namespace cistern::spec {

// Embeddings, activation, norms and scale of attention, windows by the file's pattern (without one, the last
// layer of each period sees everything). Checks that every layer has attention and a feed-forward block.
Result<void> start_gemma(Builder& builder, std::uint32_t period);

// The last attention.shared_kv_layers layers read the cache of the last layer before them that sees as much
// as they do. REQUIRES: windows are set, and heads are of their final size.
Result<void> share_caches(Builder& builder);

// Values of each layer's own input by embedding_length_per_layer_input, and the tensors that belong to them.
Result<void> add_per_layer_inputs(Builder& builder);

}  // namespace cistern::spec
