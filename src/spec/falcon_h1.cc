// Falcon-H1 (TII 2025): attention and Mamba 2 side by side in every layer; the model's multipliers are in the
// weights already.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_falcon_h1(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY(const Mamba2Spec mamba2, builder.read_mamba2());
  for (LayerSpec& layer : builder.model.layers) layer.mamba2 = mamba2;
  builder.add_embedding_and_output();
  builder.add_attention({});
  // The norm is that of attention.
  builder.add_mamba2("", Builder::GatedNorm::kOptional);
  builder.add_ffn({.norm = ""});
  for (int li = 0; li < static_cast<int>(builder.model.layers.size()); ++li)
    builder.add(Builder::in_layer(li, "ffn_norm"), Shape(builder.model.dim), Role::kFfnNorm, li);
  return {};
}

}  // namespace cistern::spec
