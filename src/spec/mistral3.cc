// Ministral 3 (Mistral AI 2025): Llama with YaRN whose two magnitude scales cancel, and queries that grow
// with the position beyond the original context.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_mistral3(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  RopeSpec& rope = builder.model.ropes[0];
  if (builder.metadata().has(builder.key("rope.scaling.yarn_log_multiplier"))) rope.attention_factor = 1;
  CISTERN_TRY(const auto scale, builder.find_positive("attention.temperature_scale"));
  builder.for_attention([&](AttentionSpec& a) {
    a.temperature_scale = scale.value_or(0);
    a.temperature_length = rope.original_context;
  });
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
