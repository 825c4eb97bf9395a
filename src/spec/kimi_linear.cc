// Kimi Linear (Kimi Team 2025): three layers of Kimi delta attention, whose
// decays are of each channel, to one of latent attention without positions;
// after the first layers experts, chosen by biased sigmoids, beside a shared
// one.
#include <fmt/format.h>

#include "spec/deepseek.h"
#include "spec/registry.h"

namespace cistern::spec {

namespace {

constexpr std::uint32_t kMaxHeads = 1U << 12U;
constexpr std::uint32_t kMaxConvWidth = 8;

Result<DeltaNetSpec> read_delta_net(const Builder& builder) {
  DeltaNetSpec d{.interleaved_heads = true, .channel_decay = true};
  CISTERN_TRY(d.n_key_heads, builder.require_u32("attention.head_count", 1, kMaxHeads));
  CISTERN_TRY(d.key_dim, builder.require_u32("kda.head_dim", 1, kMaxDim));
  CISTERN_TRY(d.conv_width, builder.require_u32("ssm.conv_kernel", 2, kMaxConvWidth));
  if (std::uint64_t{d.n_key_heads} * d.key_dim > kMaxDim) {
    return builder.bad_key(
        "kda.head_dim", fmt::format("{} heads of {} values are beyond any model", d.n_key_heads, d.key_dim));
  }
  d.n_value_heads = d.n_key_heads;
  d.value_dim = d.key_dim;
  return d;
}

void add_delta_net(Builder& builder, int li, const DeltaNetSpec& d) {
  const std::uint64_t dim = builder.model.dim;
  const std::uint64_t cols = std::uint64_t{d.n_key_heads} * d.key_dim;
  const auto add = [&](std::string_view name, Shape shape, Role role) {
    builder.add(Builder::in_layer(li, name), shape, role, li);
  };
  const auto add_f32 = [&](std::string_view name, Shape shape, Role role) {
    builder.add_f32(Builder::in_layer(li, name), shape, role, li);
  };
  add("attn_norm.weight", Shape(dim), Role::kAttnNorm);
  add("attn_q.weight", Shape(dim, cols), Role::kWq);
  add("attn_k.weight", Shape(dim, cols), Role::kWk);
  add("attn_v.weight", Shape(dim, cols), Role::kWv);
  const Shape kernel(d.conv_width, 1, cols);
  add_f32("ssm_conv1d_q.weight", kernel, Role::kSsmConvQ);
  add_f32("ssm_conv1d_k.weight", kernel, Role::kSsmConvK);
  add_f32("ssm_conv1d_v.weight", kernel, Role::kSsmConvV);
  add("ssm_f_a.weight", Shape(dim, d.key_dim), Role::kSsmFA);
  add("ssm_f_b.weight", Shape(d.key_dim, cols), Role::kSsmFB);
  add("ssm_dt.bias", Shape(cols), Role::kSsmDtBias);
  add_f32("ssm_a", Shape(1, d.n_key_heads), Role::kSsmA);
  add("ssm_beta.weight", Shape(dim, d.n_value_heads), Role::kSsmBeta);
  add("ssm_g_a.weight", Shape(dim, d.value_dim), Role::kSsmGA);
  add("ssm_g_b.weight", Shape(d.value_dim, cols), Role::kSsmGB);
  add("ssm_norm.weight", Shape(d.value_dim), Role::kSsmNorm);
  add("attn_output.weight", Shape(cols, dim), Role::kSsmOut);
}

}  // namespace

Result<void> build_kimi_linear(Builder& builder) {
  CISTERN_TRY(MlaSpec mla, read_mla(builder));
  mla.rope = kNoRope;
  CISTERN_TRY(const DeltaNetSpec delta_net, read_delta_net(builder));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSigmoid, .normalize = true}));
  builder.add_embedding_and_output();
  for (std::size_t i = 0; i < builder.model.layers.size(); ++i) {
    LayerSpec& layer = builder.model.layers[i];
    const auto li = static_cast<int>(i);
    if (layer.attention) {
      layer.attention.reset();
      layer.mla = mla;
    } else {  // the layer's count of KV heads is 0
      layer.delta_net = delta_net;
      add_delta_net(builder, li, delta_net);
    }
  }
  add_mla(builder);
  builder.add_ffn({.selection_bias = true});
  return {};
}

}  // namespace cistern::spec
