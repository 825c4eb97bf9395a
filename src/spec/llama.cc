// Llama 1, 2, 3 and Mistral (Touvron et al. 2023; Jiang et al. 2023): RMSNorm, interleaved rope, SwiGLU,
// grouped queries, optional biases, a sliding window on every layer where the file sets one. With experts
// it is Mixtral (Jiang et al. 2024).
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_llama(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  CISTERN_TRY(const auto n_experts, builder.find_u32("expert_count", 0, ~0U));
  if (n_experts.value_or(0) > 0) {
    CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmaxOfChosen}));
  }
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
