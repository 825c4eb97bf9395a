// Command R and R7B (Cohere 2024): one LayerNorm without bias before attention and feed-forward side by
// side, a logit scale; in Cohere 2 three windowed layers with rope to a full one without.
#include "spec/registry.h"

namespace cistern::spec {

namespace {

Result<void> start(Builder& builder) {
  builder.model.norm = NormKind::kLayer;
  builder.model.parallel_blocks = true;
  CISTERN_TRY(builder.model.logit_scale, builder.positive_or("logit_scale", 1.0F));
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  builder.find_qk_norm(HeadNorm::kLayerHeads);  // Command R+
  builder.add_embedding_and_output();
  return {};
}

}  // namespace

Result<void> build_command_r(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  builder.add_attention({});
  builder.add_ffn({.norm = ""});
  return {};
}

Result<void> build_cohere2(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  constexpr std::uint32_t kPeriod = 4;
  CISTERN_TRY_VOID(builder.set_window_pattern(kPeriod));
  builder.for_attention([](AttentionSpec& a) { a.rope = a.window > 0 ? 0 : kNoRope; });
  builder.add_attention({});
  builder.add_ffn({.norm = ""});
  return {};
}

}  // namespace cistern::spec
