// The Gemma family (Gemma Team 2024, 2024, 2025): scaled embeddings, GeGLU; Gemma 2 adds norms after the
// blocks, soft caps and windows on every second layer; Gemma 3 adds QK norm, five windowed layers to one full
// one, and a second rope base. The files hold the norm weights as 1 + w already.
#include <cmath>

#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {
namespace {

// Layer counts by which the two 27B models are known: they scale scores by the width per head, not the head
// size, and no metadata key says so.
constexpr std::size_t kGemma2Layers27B = 46;
constexpr std::size_t kGemma3Layers27B = 62;

Result<void> start(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  builder.model.embedding_scale = std::sqrt(static_cast<float>(builder.model.dim));
  builder.for_ffn([](FfnSpec& ffn) { ffn.activation = Activation::kGeluTanh; });
  builder.add_embedding_and_output();
  return {};
}

void scale_scores_by_width(Builder& builder) {
  const auto dim = static_cast<float>(builder.model.dim);
  builder.for_attention(
      [dim](AttentionSpec& a) { a.scale = 1.0F / std::sqrt(dim / static_cast<float>(a.n_heads)); });
}

}  // namespace

Result<void> build_gemma(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

Result<void> build_gemma2(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  if (builder.model.layers.size() == kGemma2Layers27B) scale_scores_by_width(builder);
  CISTERN_TRY(const float score_cap, builder.positive_or("attn_logit_softcapping", 50.0F));
  CISTERN_TRY(builder.model.logit_softcap, builder.positive_or("final_logit_softcapping", 30.0F));
  builder.for_attention([&](AttentionSpec& a) { a.softcap = score_cap; });
  CISTERN_TRY(const auto window, builder.find_u32("attention.sliding_window", 0, ~0U));
  builder.set_windows(window.value_or(4096), [](std::uint32_t li) { return li % 2 == 0; });
  builder.add_attention({.post_norm = "post_attention_norm"});
  builder.add_ffn({.post_norm = "post_ffw_norm"});
  return {};
}

Result<void> build_gemma3(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  if (builder.model.layers.size() == kGemma3Layers27B) scale_scores_by_width(builder);
  CISTERN_TRY(const auto logit_cap, builder.find_positive("final_logit_softcapping"));
  builder.model.logit_softcap = logit_cap.value_or(0);

  CISTERN_TRY(const float local_base, builder.positive_or("rope.freq_base_swa", 10000.0F));
  builder.model.ropes.push_back(plain_rope(RopeStyle::kHalfSplit, builder.model.ropes[0].dims, local_base));
  CISTERN_TRY(const std::uint32_t window, builder.sliding_window());
  constexpr std::uint32_t kPeriod = 6;  // the last layer of each period sees everything
  if (window > 0) {
    builder.set_windows(window, [](std::uint32_t li) { return (li + 1) % kPeriod != 0; });
    builder.for_attention([](AttentionSpec& a) { a.rope = a.window > 0 ? 1 : 0; });
  }
  builder.for_attention([](AttentionSpec& a) { a.qk_norm = HeadNorm::kHeads; });
  builder.add_attention({.post_norm = "post_attention_norm"});
  builder.add_ffn({.post_norm = "post_ffw_norm"});
  return {};
}

}  // namespace cistern::spec
