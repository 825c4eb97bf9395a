// Seed-OSS (ByteDance 2025): biases on queries, keys and values, a free head size.
#include "spec/registry.h"

namespace cistern::spec {

Result<void> build_seed_oss(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true});
  builder.add_ffn({.norm = "post_attention_norm"});
  return {};
}

}  // namespace cistern::spec
