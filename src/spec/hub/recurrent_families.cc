// Families with recurrent layers: the gated delta rule, Mamba 2, short convolutions.
#include <fmt/format.h>

#include <algorithm>

#include "spec/hub/families.h"

namespace cistern::spec::hub {
namespace {

constexpr Bounds kKernel = {2, 8};
constexpr Bounds kHeads = {1, 1U << 14U};

Result<void> set_inner_size(Conversion& c, std::string_view field, std::uint32_t heads, std::uint32_t dim) {
  if (std::uint64_t{heads} * dim > kWidth.high) {
    return c.config.bad(field, fmt::format("{} heads of {} values are beyond any model", heads, dim));
  }
  c.keys.set("ssm.inner_size", heads * dim);
  return {};
}

Result<void> read_delta_net(Conversion& c) {
  CISTERN_TRY(const std::uint32_t width, c.config.require({"linear_conv_kernel_dim"}, kKernel));
  CISTERN_TRY(const std::uint32_t key_heads, c.config.require({"linear_num_key_heads"}, kHeads));
  CISTERN_TRY(const std::uint32_t heads, c.config.require({"linear_num_value_heads"}, kHeads));
  CISTERN_TRY(const std::uint32_t key_dim, c.config.require({"linear_key_head_dim"}, {1, 4096}));
  CISTERN_TRY(const std::uint32_t value_dim, c.config.require({"linear_value_head_dim"}, {1, 4096}));
  CISTERN_TRY(const std::uint32_t interval, c.config.value_or({"full_attention_interval"}, 4, kLayerCount));
  CISTERN_TRY_VOID(set_inner_size(c, "linear_num_value_heads", heads, value_dim));
  c.keys.set("ssm.conv_kernel", width);
  c.keys.set("ssm.state_size", key_dim);
  c.keys.set("ssm.group_count", key_heads);
  c.keys.set("ssm.time_step_rank", heads);
  c.keys.set("full_attention_interval", interval);
  CISTERN_TRY(const std::vector<bool> recurrent, layers_of_type(c, "linear_attention"));
  if (!recurrent.empty())
    c.keys.set_layers("attention.recurrent_layers", {recurrent.begin(), recurrent.end()});
  return {};
}

struct StateSpaceNames {
  std::string_view kernel, state, groups, heads, head_dim;
};
constexpr StateSpaceNames kNemotron = {"conv_kernel", "ssm_state_size", "n_groups", "mamba_num_heads",
                                       "mamba_head_dim"};
constexpr StateSpaceNames kBamba = {"mamba_d_conv", "mamba_d_state", "mamba_n_groups", "mamba_n_heads",
                                    "mamba_d_head"};
constexpr StateSpaceNames kMamba2 = {"conv_kernel", "state_size", "n_groups", "num_heads", "head_dim"};

Result<void> read_state_space(Conversion& c, const StateSpaceNames& names) {
  CISTERN_TRY(const std::uint32_t width, c.config.require({names.kernel}, kKernel));
  CISTERN_TRY(const std::uint32_t state, c.config.require({names.state}, kWidth));
  CISTERN_TRY(const std::uint32_t groups, c.config.require({names.groups}, kHeads));
  CISTERN_TRY(const std::uint32_t heads, c.config.require({names.heads}, kHeads));
  CISTERN_TRY(const std::uint32_t head_dim, c.config.require({names.head_dim}, kWidth));
  CISTERN_TRY_VOID(set_inner_size(c, names.heads, heads, head_dim));
  c.keys.set("ssm.conv_kernel", width);
  c.keys.set("ssm.state_size", state);
  c.keys.set("ssm.group_count", groups);
  c.keys.set("ssm.time_step_rank", heads);
  c.also.push_back(Role::kSsmConvBias);
  return {};
}

// The kinds of Nemotron-H's layers, one letter each.
Result<std::string> layer_kinds(const Conversion& c) {
  constexpr std::string_view kPattern = "hybrid_override_pattern";
  CISTERN_TRY(const auto listed, c.config.find_strings("layers_block_type"));
  std::string kinds;
  if (listed) {
    for (const std::string& kind : *listed) {
      kinds += kind == "mamba" ? 'M' : kind == "attention" ? '*' : kind == "moe" ? 'E' : '-';
    }
  } else {
    CISTERN_TRY(const auto pattern, c.config.find_string(kPattern));
    if (!pattern) return c.config.missing(kPattern);
    kinds = *pattern;
  }
  if (kinds.size() != c.layers || kinds.find_first_not_of("M*E-") != std::string::npos) {
    return c.config.bad(kPattern,
                        fmt::format("must have a letter of M, *, E and - for each of {} layers", c.layers));
  }
  return kinds;
}

// Attention in the layers that layer_types calls `name`.
Result<void> set_attention_layers(Conversion& c, std::string_view name) {
  CISTERN_TRY(const std::vector<bool> attention, layers_of_type(c, name));
  if (attention.empty()) return c.config.missing("layer_types");
  std::vector<std::uint32_t> kv_heads;
  for (const bool has_attention : attention) kv_heads.push_back(has_attention ? c.kv_heads : 0);
  c.keys.set_layers("attention.head_count_kv", kv_heads);
  return {};
}

Result<void> start_qwen(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  return read_delta_net(c);
}

// LFM2 may give the size before it is cut to two thirds and rounded.
Result<std::uint32_t> lfm2_hidden(const Conversion& c) {
  CISTERN_TRY(const std::uint32_t given, c.config.require({"block_ff_dim", "intermediate_size"}, kWidth));
  CISTERN_TRY(const bool adjust, c.config.flag_or("block_auto_adjust_ff_dim", false));
  if (!adjust) return given;
  CISTERN_TRY(const std::uint32_t multiple, c.config.value_or({"block_multiple_of"}, 256, kWidth));
  const std::uint32_t cut = given * 2 / 3;
  return std::min((cut + multiple - 1) / multiple * multiple, kWidth.high);
}

Result<void> start_lfm2(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  CISTERN_TRY(const std::uint32_t width, c.config.require({"conv_L_cache"}, kKernel));
  CISTERN_TRY(const std::uint32_t hidden, lfm2_hidden(c));
  c.keys.set("shortconv.l_cache", width);
  c.keys.set("feed_forward_length", hidden);
  CISTERN_TRY(const auto indices, c.config.find_list("full_attn_idxs", {0, c.layers - 1}));
  if (!indices) return set_attention_layers(c, "full_attention");
  std::vector<std::uint32_t> kv_heads(c.layers, 0);
  for (const std::uint32_t li : *indices) kv_heads[li] = c.kv_heads;
  c.keys.set_layers("attention.head_count_kv", kv_heads);
  return {};
}

}  // namespace

// Files of Qwen3-Next leave out the layer that predicts a further token.
Result<void> read_qwen3_next(Conversion& c) {
  CISTERN_TRY_VOID(start_qwen(c));
  CISTERN_TRY(const auto hidden, c.config.find({"intermediate_size"}, kWidth));
  if (hidden) c.keys.set("feed_forward_length", *hidden);
  CISTERN_TRY(const Experts experts, read_experts(c));
  return read_shared_experts(c, experts);
}

Result<void> read_qwen35(Conversion& c) {
  CISTERN_TRY_VOID(start_qwen(c));
  CISTERN_TRY_VOID(read_dense_ffn(c));
  return read_further_layers(c, {"mtp_num_hidden_layers"});
}

Result<void> read_qwen35_moe(Conversion& c) {
  CISTERN_TRY_VOID(read_qwen3_next(c));
  return read_further_layers(c, {"mtp_num_hidden_layers"});
}

Result<void> read_nemotron_h(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  CISTERN_TRY_VOID(read_state_space(c, kNemotron));
  CISTERN_TRY(const std::string kinds, layer_kinds(c));
  CISTERN_TRY(const std::uint32_t dense, c.config.value_or({"intermediate_size"}, 1, kWidth));
  std::vector<std::uint32_t> kv_heads;
  std::vector<std::uint32_t> hiddens;
  for (const char kind : kinds) {
    kv_heads.push_back(kind == '*' ? c.kv_heads : 0);
    hiddens.push_back(kind == 'E' || kind == '-' ? dense : 0);
  }
  c.keys.set_layers("attention.head_count_kv", kv_heads);
  c.keys.set_layers("feed_forward_length", hiddens);
  if (kinds.find('E') == std::string::npos) return {};
  if (kinds.find('-') != std::string::npos) {
    return c.config.bad("hybrid_override_pattern", "has dense layers beside experts, which is not supported");
  }
  c.arch = "nemotron_h_moe";
  CISTERN_TRY(const Experts experts, read_experts(c));
  CISTERN_TRY_VOID(read_shared_experts(c, experts));
  CISTERN_TRY(const auto latent, c.config.find({"moe_latent_size"}, kWidth));
  if (latent) c.keys.set("moe_latent_size", *latent);
  return read_routing(c);
}

Result<void> read_granite_hybrid(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  CISTERN_TRY_VOID(read_state_space(c, kBamba));
  CISTERN_TRY_VOID(set_attention_layers(c, "attention"));
  CISTERN_TRY(const auto position, c.config.find_string("position_embedding_type"));
  c.keys.set("rope.scaling.finetuned", position == "rope");
  CISTERN_TRY(const std::uint32_t shared, c.config.require({"shared_intermediate_size"}, kWidth));
  CISTERN_TRY(const std::uint32_t n_experts, c.config.value_or({"num_local_experts"}, 0, {0, 1U << 14U}));
  c.keys.set("feed_forward_length", shared);
  if (n_experts == 0) return {};
  CISTERN_TRY_VOID(read_experts(c));
  c.keys.set("expert_shared_feed_forward_length", shared);
  return {};
}

Result<void> read_falcon_h1(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  CISTERN_TRY_VOID(read_dense_ffn(c));
  return read_state_space(c, kBamba);
}

Result<void> read_mamba2(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  c.keys.set("attention.head_count", 0U);
  c.keys.set("attention.head_count_kv", 0U);
  c.keys.set("feed_forward_length", 0U);
  return read_state_space(c, kMamba2);
}

Result<void> read_lfm2(Conversion& c) {
  return start_lfm2(c);
}

Result<void> read_lfm2_moe(Conversion& c) {
  CISTERN_TRY_VOID(start_lfm2(c));
  CISTERN_TRY_VOID(read_experts(c));
  CISTERN_TRY(const std::uint32_t dense, c.config.value_or({"num_dense_layers"}, 0, {0, c.layers}));
  c.keys.set("leading_dense_block_count", dense);
  return {};
}

}  // namespace cistern::spec::hub
