// LFM2 (Liquid AI 2025): gated short convolutions on most layers, attention with QK norm on the others;
// dense, or with experts whose sigmoid scores are renormalised.
#include "spec/registry.h"

namespace cistern::spec {
namespace {

Result<void> start(Builder& builder) {
  ModelSpec& model = builder.model;
  CISTERN_TRY(const bool causal, builder.flag_or("attention.causal", true));
  if (!causal) {
    auto error =
        builder.bad_key("attention.causal", "is not supported: a model that sees the tokens to come");
    error.error().code = ErrorCode::kUnsupported;
    return error;
  }
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  CISTERN_TRY(const std::uint32_t width, builder.require_u32("shortconv.l_cache", 2, kMaxConvWidth));
  builder.for_attention([](AttentionSpec& a) { a.qk_norm = HeadNorm::kHeads; });
  for (LayerSpec& layer : model.layers) {
    if (!layer.attention) layer.short_conv = ShortConvSpec{.width = width};
  }
  builder.add("token_embd.weight", Shape(model.dim, model.n_vocab), Role::kTokenEmbedding);
  // The output norm, by the name it has in the model.
  builder.add_norm(kNoLayer, "token_embd_norm", model.dim, Role::kOutputNorm, Role::kOutputNormBias);
  builder.add_output();
  builder.add_attention({});
  builder.add_short_conv();
  return {};
}

}  // namespace

Result<void> build_lfm2(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  builder.add_ffn({});
  return {};
}

Result<void> build_lfm2moe(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSigmoid, .normalize = true}));
  builder.add_ffn({.selection_bias = true});
  return {};
}

}  // namespace cistern::spec
