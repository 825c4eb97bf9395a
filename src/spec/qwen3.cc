// Qwen 3 (Yang et al. 2025): RMSNorm on every head of queries and keys before rope, no biases, a free head
// size; dense, or with experts whose weights are renormalised.
#include "spec/registry.h"

namespace cistern::spec {

namespace {

Result<void> start(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.for_attention([](AttentionSpec& a) { a.qk_norm = HeadNorm::kHeads; });
  builder.add_embedding_and_output();
  builder.add_attention({});
  return {};
}

}  // namespace

Result<void> build_qwen3(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  builder.add_ffn({});
  return {};
}

Result<void> build_qwen3moe(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmax, .normalize = true}));
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
