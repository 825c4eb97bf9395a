// The Gemma family (Gemma Team 2024, 2024, 2025): scaled embeddings, GeGLU; Gemma 2 adds norms after the
// blocks, soft caps and windows on every second layer; Gemma 3 adds QK norm, five windowed layers to one full
// one, and a second rope base; EmbeddingGemma (2025) is Gemma 3 without the causal mask, and may have two
// dense layers after pooling. The files hold the norm weights as 1 + w already.
#include <cmath>

#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {
namespace {

// Layer counts by which the two 27B models are known: they scale scores by the width per head, not the head
// size, and no metadata key says so.
constexpr std::size_t kGemma2Layers27B = 46;
constexpr std::size_t kGemma3Layers27B = 62;
constexpr std::uint32_t kPeriod = 6;  // of Gemma 3's windowed layers and a full one

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

// Gemma 3 once its windows are set.
Result<void> finish_gemma3(Builder& builder) {
  CISTERN_TRY(const float local_base, builder.positive_or("rope.freq_base_swa", 10000.0F));
  builder.model.ropes.push_back(plain_rope(RopeStyle::kHalfSplit, builder.model.ropes[0].dims, local_base));
  builder.for_attention([](AttentionSpec& a) {
    a.rope = a.window > 0 ? 1 : 0;
    a.qk_norm = HeadNorm::kHeads;
  });
  builder.add_attention({.post_norm = "post_attention_norm"});
  builder.add_ffn({.post_norm = "post_ffw_norm"});
  return {};
}

// Two products after pooling, without biases or activations, which widen the vector and narrow it again.
Result<void> add_dense_layers(Builder& builder) {
  ModelSpec& model = builder.model;
  CISTERN_TRY(const auto hidden, builder.find_u32("dense_2_feat_out", 1, kMaxDim));
  const std::string first = "dense_2.weight";
  const std::string second = "dense_3.weight";
  if (!hidden || !builder.has_tensor(first, false)) return {};
  model.dense_dim = *hidden;
  builder.add(first, Shape(model.dim, *hidden), Role::kDense2);
  builder.add(second, Shape(*hidden, model.dim), Role::kDense3);
  return {};
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

  CISTERN_TRY(const std::uint32_t window, builder.sliding_window());
  // The last layer of each period sees everything.
  if (window > 0) builder.set_windows(window, [](std::uint32_t li) { return (li + 1) % kPeriod != 0; });
  CISTERN_TRY_VOID(finish_gemma3(builder));
  return {};
}

Result<void> build_gemma_embedding(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(builder.set_window_pattern(kPeriod));
  CISTERN_TRY_VOID(builder.set_bidirectional());
  CISTERN_TRY_VOID(finish_gemma3(builder));
  return add_dense_layers(builder);
}

}  // namespace cistern::spec
