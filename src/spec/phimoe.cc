// Phi-3.5-MoE (Abdin et al. 2024): LayerNorm, biases on all projections of attention and on the output,
// LongRoPE, two experts chosen by SparseMixer (Liu et al. 2023).
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_phimoe(Builder& builder) {
  builder.model.norm = NormKind::kLayer;
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSparseMixer}));
  CISTERN_TRY(const std::uint32_t n_used, builder.require_u32("expert_used_count", 1, ~0U));
  if (n_used > 2) return builder.bad_key("expert_used_count", "must be 1 or 2: SparseMixer chooses two");
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true});
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
