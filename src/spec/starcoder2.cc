// StarCoder2 (Lozhkov et al. 2024): LayerNorm and biases everywhere, GELU without a gate.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_starcoder2(Builder& builder) {
  builder.model.norm = NormKind::kLayer;
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.for_ffn([](FfnSpec& ffn) {
    ffn.gated = false;
    ffn.activation = Activation::kGeluTanh;
  });
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true});
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
