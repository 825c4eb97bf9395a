// Llama 1, 2, 3 and Mistral (Touvron et al. 2023; Jiang et al. 2023): RMSNorm, interleaved rope, SwiGLU, grouped
// queries, optional biases, a sliding window on every layer where the file sets one.
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {

Result<void> build_llama(Builder& builder) {
  CISTERN_TRY(RopeSpec rope, read_rope(builder, RopeStyle::kInterleaved));
  builder.model.ropes.push_back(std::move(rope));
  CISTERN_TRY(const std::uint32_t window, builder.sliding_window());
  builder.set_windows(window, [](std::uint32_t) { return true; });
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_gated_ffn({});
  return {};
}

}  // namespace cistern::spec
