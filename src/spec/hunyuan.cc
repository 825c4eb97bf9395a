// Hunyuan (Tencent 2025): QK norm per head after rope; dense, or experts with renormalised softmax weights
// beside a shared one.
#include "spec/registry.h"

namespace cistern::spec {

namespace {

Result<void> start(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  builder.for_attention([](AttentionSpec& a) {
    a.qk_norm = HeadNorm::kHeads;
    a.norm_after_rope = true;
  });
  builder.add_embedding_and_output();
  builder.add_attention({});
  return {};
}

}  // namespace

Result<void> build_hunyuan(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  builder.add_ffn({});
  return {};
}

Result<void> build_hunyuan_moe(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmax, .normalize = true}));
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
