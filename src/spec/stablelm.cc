// StableLM 2 (Bellagente et al. 2024): LayerNorm with bias, partial rope, optional biases.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_stablelm(Builder& builder) {
  builder.model.norm = NormKind::kLayer;
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY(builder.model.parallel_blocks, builder.flag_or("use_parallel_residual", false));
  builder.find_qk_norm(HeadNorm::kLayerHeads);  // StableLM 2 12B
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({.norm = builder.model.parallel_blocks ? "" : "ffn_norm"});
  return {};
}

}  // namespace cistern::spec
