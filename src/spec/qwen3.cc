// Qwen 3 dense: RMSNorm on every head of queries and keys before rope, no biases, a free head size.
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {

Result<void> build_qwen3(Builder& builder) {
  CISTERN_TRY(RopeSpec rope, read_rope(builder, RopeStyle::kHalfSplit));
  builder.model.ropes.push_back(std::move(rope));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.add_embedding_and_output();
  builder.add_attention({.qk_norm = true});
  builder.add_gated_ffn({});
  return {};
}

}  // namespace cistern::spec
