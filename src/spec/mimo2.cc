// MiMo-V2-Flash (Xiaomi 2025): windowed layers with sinks and a rope base of their own, partial rope,
// values narrower than keys and scaled, experts by sigmoid scores with a bias for the choice.
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {

Result<void> build_mimo2(Builder& builder) {
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  constexpr std::uint32_t kPeriod = 6;
  CISTERN_TRY_VOID(builder.set_window_pattern(kPeriod));
  CISTERN_TRY(const float local_base, builder.positive_or("rope.freq_base_swa", 10000.0F));
  builder.model.ropes.push_back(plain_rope(RopeStyle::kHalfSplit, builder.model.ropes[0].dims, local_base));
  CISTERN_TRY(const float value_scale, builder.positive_or("attention.value_scale", 1.0F));
  builder.for_attention([&](AttentionSpec& a) {
    a.rope = a.window > 0 ? 1 : 0;
    a.value_scale = value_scale;
  });
  CISTERN_TRY(const MoeSpec moe, builder.read_experts({.gating = Gating::kSigmoid, .normalize = true}));
  for (std::uint32_t li = 0; li < builder.model.layers.size(); ++li) {
    const auto name = Builder::in_layer(static_cast<int>(li), "ffn_gate_inp.weight");
    if (builder.has_tensor(name, li > 0) && builder.model.layers[li].ffn)
      builder.model.layers[li].ffn->moe = moe;
  }
  builder.add_embedding_and_output();
  builder.add_attention({.sinks = true});
  builder.add_ffn({.selection_bias = true});
  return {};
}

}  // namespace cistern::spec
