// Granite 3 (IBM 2024): Llama with multipliers on embeddings, scores, what blocks add, and logits; dense
// or with experts. Granite 4 (IBM 2025): Mamba 2 on most layers, attention on the others, without rope where
// the file says so.
#include "spec/registry.h"

namespace cistern::spec {

namespace {

Result<void> start(Builder& builder) {
  ModelSpec& model = builder.model;
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  CISTERN_TRY(model.embedding_scale, builder.positive_or("embedding_scale", 1.0F));
  CISTERN_TRY(model.residual_scale, builder.positive_or("residual_scale", 1.0F));
  CISTERN_TRY(const float divisor, builder.positive_or("logit_scale", 1.0F));
  model.logit_scale = 1.0F / divisor;
  builder.add_embedding_and_output();
  return {};
}

}  // namespace

Result<void> build_granite(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

Result<void> build_granitemoe(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmaxOfChosen}));
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

Result<void> build_granitehybrid(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY(const Mamba2Spec mamba2, builder.read_mamba2());
  for (LayerSpec& layer : builder.model.layers) {
    if (!layer.attention) layer.mamba2 = mamba2;
  }
  // The key means something else everywhere but here.
  CISTERN_TRY(const bool has_rope, builder.flag_or("rope.scaling.finetuned", true));
  if (!has_rope) builder.for_attention([](AttentionSpec& a) { a.rope = kNoRope; });
  CISTERN_TRY(const auto n_experts, builder.find_u32("expert_count", 0, ~0U));
  if (n_experts.value_or(0) > 0) {
    CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmaxOfChosen}));
  }
  builder.add_attention({});
  builder.add_mamba2("attn_norm", Builder::GatedNorm::kRequired);
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
