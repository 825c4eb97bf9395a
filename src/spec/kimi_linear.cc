// Kimi Linear (Kimi Team 2025): three layers of Kimi delta attention, whose decays are of each channel, to
// one of latent attention without positions; after the first layers experts, chosen by biased sigmoids,
// beside a shared one.
#include <fmt/format.h>

#include <cmath>

#include "spec/registry.h"

namespace cistern::spec {

namespace {

constexpr std::uint32_t kMaxHeads = 1U << 12U;
constexpr std::uint32_t kMaxConvWidth = 8;
constexpr float kLatentEps = 1e-6F;  // whatever the model's epsilon

Result<MlaSpec> read_mla(const Builder& builder) {
  MlaSpec mla{.latent_eps = kLatentEps, .rope = kNoRope};
  CISTERN_TRY(mla.n_heads, builder.require_u32("attention.head_count", 1, kMaxHeads));
  CISTERN_TRY(const auto q_rank, builder.find_u32("attention.q_lora_rank", 0, kMaxDim));
  mla.q_rank = q_rank.value_or(0);
  CISTERN_TRY(mla.kv_rank, builder.require_u32("attention.kv_lora_rank", 1, 1U << 14U));
  CISTERN_TRY(mla.rope_dim, builder.require_u32("rope.dimension_count", 2, 1U << 12U));
  CISTERN_TRY(const std::uint32_t key_dim,
              builder.require_u32("attention.key_length_mla", mla.rope_dim + 1, 1U << 12U));
  CISTERN_TRY(mla.value_dim, builder.require_u32("attention.value_length_mla", 1, 1U << 12U));
  mla.nope_dim = key_dim - mla.rope_dim;
  mla.scale = 1.0F / std::sqrt(static_cast<float>(key_dim));
  return mla;
}

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

void add_mla(Builder& builder, int li, const MlaSpec& m) {
  const std::uint64_t dim = builder.model.dim;
  const auto add = [&](std::string_view name, Shape shape, Role role) {
    builder.add(Builder::in_layer(li, name), shape, role, li);
  };
  const std::uint64_t q_rows = std::uint64_t{m.n_heads} * (m.nope_dim + m.rope_dim);
  add("attn_norm.weight", Shape(dim), Role::kAttnNorm);
  if (m.q_rank > 0) {
    add("attn_q_a.weight", Shape(dim, m.q_rank), Role::kWqA);
    add("attn_q_a_norm.weight", Shape(m.q_rank), Role::kQANorm);
    add("attn_q_b.weight", Shape(m.q_rank, q_rows), Role::kWqB);
  } else {
    add("attn_q.weight", Shape(dim, q_rows), Role::kWq);
  }
  add("attn_kv_a_mqa.weight", Shape(dim, m.key_dim()), Role::kWkvA);
  add("attn_kv_a_norm.weight", Shape(m.kv_rank), Role::kKvANorm);
  add("attn_k_b.weight", Shape(m.nope_dim, m.kv_rank, m.n_heads), Role::kWkB);
  add("attn_v_b.weight", Shape(m.kv_rank, m.value_dim, m.n_heads), Role::kWvB);
  add("attn_output.weight", Shape(std::uint64_t{m.n_heads} * m.value_dim, dim), Role::kWo);
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
  CISTERN_TRY(const MlaSpec mla, read_mla(builder));
  CISTERN_TRY(const DeltaNetSpec delta_net, read_delta_net(builder));
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSigmoid, .normalize = true}));
  builder.add_embedding_and_output();
  for (std::size_t i = 0; i < builder.model.layers.size(); ++i) {
    LayerSpec& layer = builder.model.layers[i];
    const auto li = static_cast<int>(i);
    if (layer.attention) {
      layer.attention.reset();
      layer.mla = mla;
      add_mla(builder, li, mla);
    } else {  // the layer's count of KV heads is 0
      layer.delta_net = delta_net;
      add_delta_net(builder, li, delta_net);
    }
  }
  builder.add_ffn({.selection_bias = true});
  return {};
}

}  // namespace cistern::spec
