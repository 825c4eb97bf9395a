// ERNIE 4.5 (Baidu 2025): Llama with a free head size; with experts chosen by softmax scores plus a bias,
// renormalised, beside shared ones.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_ernie(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({});
  return {};
}

Result<void> build_ernie_moe(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kInterleaved));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmax, .normalize = true}));
  builder.add_embedding_and_output();
  builder.add_attention({});
  builder.add_ffn({.selection_bias = true});
  return {};
}

}  // namespace cistern::spec
