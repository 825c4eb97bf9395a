// OLMo 2 and 3 (OLMo Team 2024, 2025): norms only after the blocks, RMSNorm over all heads of queries and
// keys together, in OLMo 3 three windowed layers to a full one. OLMoE (Muennighoff et al. 2024): norms
// before the blocks, experts whose weights are not renormalised.
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {

namespace {

void norm_whole_rows(Builder& builder) {
  builder.for_attention([](AttentionSpec& a) { a.qk_norm = HeadNorm::kRow; });
}

}  // namespace

Result<void> build_olmo2(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY(const std::uint32_t window, builder.sliding_window());
  if (window > 0) {
    constexpr std::uint32_t kPeriod = 4;
    CISTERN_TRY_VOID(builder.set_window_pattern(kPeriod));
    // Scaling for long contexts is for the layers that see them.
    CISTERN_TRY(float base, builder.positive_or("rope.freq_base", 10000.0F));
    CISTERN_TRY(base, builder.positive_or("rope.freq_base_swa", base));
    builder.model.ropes.push_back(plain_rope(RopeStyle::kHalfSplit, builder.model.ropes[0].dims, base));
    builder.for_attention([](AttentionSpec& a) { a.rope = a.window > 0 ? 1 : 0; });
  }
  norm_whole_rows(builder);
  builder.add_embedding_and_output();
  builder.add_attention({.norm = "", .post_norm = "post_attention_norm"});
  builder.add_ffn({.norm = "", .post_norm = "post_ffw_norm"});
  return {};
}

Result<void> build_olmoe(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmax}));
  norm_whole_rows(builder);
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
