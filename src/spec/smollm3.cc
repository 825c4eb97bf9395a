// SmolLM3 (Hugging Face 2025): Llama without rope on every fourth layer.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_smollm3(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  constexpr std::uint32_t kPeriod = 4;
  for (std::uint32_t li = kPeriod - 1; li < builder.model.layers.size(); li += kPeriod) {
    if (builder.model.layers[li].attention) builder.model.layers[li].attention->rope = kNoRope;
  }
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
