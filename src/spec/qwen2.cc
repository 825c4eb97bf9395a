// Qwen 2 and 2.5: Llama with biases on queries, keys and values, and half-split rope. Its mixture of
// experts (Yang et al. 2024) does not renormalise the chosen weights and has a shared expert behind a
// sigmoid.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_qwen2(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true});
  builder.add_ffn({});
  return {};
}

Result<void> build_qwen2moe(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmax}));
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true});
  builder.add_ffn({.shared_router = true});
  return {};
}

}  // namespace cistern::spec
