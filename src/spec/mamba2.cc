// Mamba 2 (Dao & Gu 2024): state spaces only, no attention and no feed-forward blocks.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_mamba2(Builder& builder) {
  CISTERN_TRY(const Mamba2Spec mamba2, builder.read_mamba2());
  for (LayerSpec& layer : builder.model.layers) layer = LayerSpec{.mamba2 = mamba2};
  builder.add_embedding_and_output();
  builder.add_mamba2("attn_norm", Builder::GatedNorm::kRequired);
  return {};
}

}  // namespace cistern::spec
