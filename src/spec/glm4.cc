// GLM-4 (GLM Team 2024) and GLM-4.5 (2025): partial rope; the first with norms before and after its
// blocks, the second a mixture of experts with sigmoid scores and a bias for the choice.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_glm4(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  builder.add_embedding_and_output();
  builder.add_attention({.post_norm = "post_attention_norm"});
  builder.add_ffn({.post_norm = "post_ffw_norm", .fused_gate_up = true});
  return {};
}

Result<void> build_glm4moe(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSigmoid, .normalize = true}));
  // GLM-4.5 has the norms, GLM-4.5-Air has not.
  builder.find_qk_norm(HeadNorm::kHeads);
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true});
  builder.add_ffn({.norm = "post_attention_norm", .selection_bias = true});
  return {};
}

}  // namespace cistern::spec
