// Phi-3 and Phi-4 (Abdin et al. 2024): fused QKV and gate/up projections, half-split and possibly partial
// rope, LongRoPE factors in the long-context variants, a sliding window where the file sets one.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_phi3(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.add_embedding_and_output();
  builder.add_attention({.fused_qkv = true});
  builder.add_ffn({.fused_gate_up = true});
  return {};
}

}  // namespace cistern::spec
