// EXAONE 4 (LG AI 2025): norms after the blocks, QK norm, in the large model three windowed layers with
// rope to a full one without. K-EXAONE: the same attention, norms before the blocks, experts.
#include "spec/registry.h"

namespace cistern::spec {

namespace {

constexpr std::uint32_t kPeriod = 4;
constexpr std::size_t kLayers32B = 64;  // its first files say nothing of windows
constexpr std::uint32_t kWindow32B = 4096;

// Layers that see everything know no positions, where there are others.
void rope_in_windows(Builder& builder) {
  builder.for_attention([](AttentionSpec& a) { a.rope = a.window > 0 ? 0 : kNoRope; });
}

Result<void> start(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  builder.for_attention([](AttentionSpec& a) { a.qk_norm = HeadNorm::kHeads; });
  CISTERN_TRY(const std::uint32_t window, builder.sliding_window());
  if (window > 0) {
    CISTERN_TRY_VOID(builder.set_window_pattern(kPeriod));
    rope_in_windows(builder);
  }
  builder.add_embedding_and_output();
  return {};
}

}  // namespace

Result<void> build_exaone4(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY(const std::uint32_t window, builder.sliding_window());
  if (window == 0 && builder.model.layers.size() == kLayers32B) {
    builder.set_windows(kWindow32B, [](std::uint32_t li) { return (li + 1) % kPeriod != 0; });
    rope_in_windows(builder);
  }
  builder.add_attention({.norm = "", .post_norm = "post_attention_norm"});
  builder.add_ffn({.norm = "", .post_norm = "post_ffw_norm"});
  return {};
}

Result<void> build_exaone_moe(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSigmoid, .normalize = true}));
  builder.add_attention({});
  builder.add_ffn({.selection_bias = true});
  return {};
}

}  // namespace cistern::spec
