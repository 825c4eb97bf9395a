// gpt-oss (OpenAI 2025): attention sinks, a sliding window on even layers, YaRN whose ramp ends between
// pairs, biases everywhere, experts with a clamped SwiGLU.
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {

Result<void> build_gpt_oss(Builder& builder) {
  CISTERN_TRY(RopeSpec rope, read_rope(builder, RopeStyle::kHalfSplit, {.yarn_truncate = false}));
  builder.model.ropes.push_back(std::move(rope));
  CISTERN_TRY(const std::uint32_t window, builder.sliding_window());
  builder.set_windows(window, [](std::uint32_t li) { return li % 2 == 0; });
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmaxOfChosen}));
  builder.for_ffn([](FfnSpec& ffn) { ffn.activation = Activation::kSwigluOai; });
  builder.add_embedding_and_output();
  builder.add_attention({.qkv_bias = true, .sinks = true});
  builder.add_ffn({.norm = "post_attention_norm", .expert_bias = true});
  return {};
}

}  // namespace cistern::spec
