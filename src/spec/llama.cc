// Llama 1, 2, 3 and Mistral (Touvron et al. 2023; Jiang et al. 2023): RMSNorm, interleaved rope, SwiGLU,
// grouped queries, optional biases, a sliding window on every layer where the file sets one.
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {

Result<void> build_llama(Builder& builder) {
  CISTERN_TRY(RopeSpec rope, read_rope(builder, RopeStyle::kInterleaved));
  builder.model.ropes.push_back(std::move(rope));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_gated_ffn({});
  return {};
}

}  // namespace cistern::spec
