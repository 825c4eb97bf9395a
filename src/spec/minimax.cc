// MiniMax-M2 (MiniMax 2025): RMSNorm over all heads of queries and keys together, half of each head
// rotated, experts by sigmoid scores with a bias for the choice.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_minimax_m2(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSigmoid, .normalize = true}));
  builder.for_attention([](AttentionSpec& a) { a.qk_norm = HeadNorm::kRow; });
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({.selection_bias = true});
  return {};
}

}  // namespace cistern::spec
