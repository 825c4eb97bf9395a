// Qwen 2 and 2.5: Llama with biases on queries, keys and values and half-split rope.
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {

Result<void> build_qwen2(Builder& builder) {
  CISTERN_TRY(RopeSpec rope, read_rope(builder, RopeStyle::kHalfSplit));
  builder.model.ropes.push_back(std::move(rope));
  CISTERN_TRY_VOID(builder.set_window_everywhere());
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true});
  builder.add_gated_ffn({});
  return {};
}

}  // namespace cistern::spec
