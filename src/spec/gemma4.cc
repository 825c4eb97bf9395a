// Gemma 4 (Google 2026): windowed layers with a rope base and narrower heads, full layers whose rope leaves
// most pairs alone (the file's factors say which) and whose keys may be their values too; attention without
// a scale; a scale for each layer's output. In the small models each layer has an input of its own and the
// last ones share caches; in the mixture experts run beside a dense block.
#include <fmt/format.h>

#include <algorithm>

#include "spec/gemma_parts.h"
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {
namespace {

constexpr std::uint32_t kPeriod = 6;

// What the keys ending in _swa say of windowed layers.
Result<void> set_windowed_heads(Builder& builder) {
  CISTERN_TRY(const auto key_dim, builder.find_u32("attention.key_length_swa", 1, kMaxDim));
  CISTERN_TRY(const auto value_dim, builder.find_u32("attention.value_length_swa", 1, kMaxDim));
  std::uint32_t narrowest = kMaxDim;
  for (LayerSpec& layer : builder.model.layers) {
    AttentionSpec& a = *layer.attention;
    if (a.window == 0) continue;
    a.head_dim = key_dim.value_or(a.head_dim);
    a.value_dim = value_dim.value_or(a.value_dim);
    narrowest = std::min(narrowest, a.head_dim);
    if (std::uint64_t{std::max(a.head_dim, a.value_dim)} * a.n_heads > kMaxDim) {
      return builder.bad_key(
          "attention.key_length_swa",
          fmt::format("{} heads of {} values are beyond any model", a.n_heads, a.head_dim));
    }
  }
  const std::uint32_t usual = narrowest < kMaxDim ? narrowest : builder.model.ropes[0].dims;
  CISTERN_TRY(const auto dims, builder.find_u32("rope.dimension_count_swa", 2, usual));
  const std::uint32_t rotated = dims.value_or(usual);
  if (rotated % 2 != 0) {
    return builder.bad_key("rope.dimension_count_swa", fmt::format("is {}, must be even", rotated));
  }
  CISTERN_TRY(const float base, builder.positive_or("rope.freq_base_swa", 10000.0F));
  builder.model.ropes.push_back(plain_rope(RopeStyle::kHalfSplit, rotated, base));
  return {};
}

Result<void> set_experts(Builder& builder) {
  CISTERN_TRY(const auto n_experts, builder.find_u32("expert_count", 0, kMaxDim));
  if (n_experts.value_or(0) == 0) return {};
  CISTERN_TRY(const MoeSpec moe, builder.read_experts({.normalize = true, .beside_dense = true}));
  builder.for_ffn([&](FfnSpec& ffn) { ffn.moe = moe; });
  return {};
}

void add_more_tensors(Builder& builder) {
  const ModelSpec& model = builder.model;
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    const auto add = [&](std::string_view name, std::uint64_t size, Role role, bool optional = false) {
      builder.add(Builder::in_layer(li, name), Shape(size), role, li, optional);
    };
    add("layer_output_scale.weight", 1, Role::kLayerScale, true);
    const FfnSpec& ffn = *model.layers[static_cast<std::size_t>(li)].ffn;
    if (!ffn.moe) continue;
    add("ffn_gate_inp.scale", model.dim, Role::kRouterScale);
    add("ffn_down_exps.scale", ffn.moe->n_experts, Role::kExpertsDownScale, true);
    add("post_ffw_norm_1.weight", model.dim, Role::kDensePostNorm);
    add("pre_ffw_norm_2.weight", model.dim, Role::kExpertsNorm);
    add("post_ffw_norm_2.weight", model.dim, Role::kExpertsPostNorm);
  }
}

}  // namespace

Result<void> build_gemma4(Builder& builder) {
  builder.model.layer_kind = LayerKind::kGemma4;
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY_VOID(start_gemma(builder, kPeriod));
  CISTERN_TRY(const auto logit_cap, builder.find_positive("final_logit_softcapping"));
  builder.model.logit_softcap = logit_cap.value_or(0);
  CISTERN_TRY_VOID(set_windowed_heads(builder));
  CISTERN_TRY_VOID(share_caches(builder));
  CISTERN_TRY_VOID(set_experts(builder));
  CISTERN_TRY_VOID(add_per_layer_inputs(builder));
  builder.add_attention({.post_norm = "post_attention_norm", .optional_values = true});
  builder.add_ffn({.post_norm = "post_ffw_norm", .fused_experts = true});
  add_more_tensors(builder);
  return {};
}

}  // namespace cistern::spec
