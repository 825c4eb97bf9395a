// Granite 3 (IBM 2024): Llama with multipliers on embeddings, scores, what blocks add, and logits; dense
// or with experts.
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

}  // namespace cistern::spec
