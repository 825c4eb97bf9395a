#include "spec/hub/conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cistern::spec::hub {
namespace {

constexpr float kUsualEps = 1e-5F;
constexpr std::uint32_t kUsualContext = 1U << 20U;  // of recurrent models, whose configurations set no limit

// The base of the rope, which newer configurations keep among rope_parameters, by kind of layer if kinds
// differ.
Result<void> read_rope_base(Conversion& c) {
  CISTERN_TRY(auto base, c.config.find_number({"rope_theta", "rotary_emb_base"}));
  if (const auto rope = c.config.find_object("rope_parameters"); rope && !base) {
    const auto full = rope->find_object("full_attention");
    CISTERN_TRY(base, (full ? *full : *rope).find_number({"rope_theta"}));
  }
  if (!base) return {};
  constexpr double kMaxBase = 1e12;
  if (*base <= 1 || *base > kMaxBase) {
    return c.config.bad("rope_theta", fmt::format("is {}, must be above 1 and at most {}", *base, kMaxBase));
  }
  c.keys.set("rope.freq_base", static_cast<float>(*base));
  return {};
}

Result<void> read_rotated_part(Conversion& c) {
  CISTERN_TRY(const auto rotated, c.config.find({"rotary_dim"}, {2, c.head_dim}));
  CISTERN_TRY(auto part, c.config.find_number({"partial_rotary_factor", "rotary_pct", "rope_pct"}));
  if (const auto rope = c.config.find_object("rope_parameters"); rope && !part) {
    CISTERN_TRY(part, rope->find_number({"partial_rotary_factor"}));
  }
  if (part && (*part <= 0 || *part > 1)) {
    return c.config.bad("partial_rotary_factor", fmt::format("is {}, must be above 0, at most 1", *part));
  }
  std::uint32_t dims = c.head_dim;
  if (rotated) dims = *rotated;
  if (part && !rotated) dims = static_cast<std::uint32_t>(c.head_dim * *part);
  dims = std::max(dims / 2 * 2, 2U);
  if (dims <= c.head_dim) c.keys.set("rope.dimension_count", dims);
  return {};
}

}  // namespace

Result<void> read_model(Conversion& c, bool tied) {
  CISTERN_TRY(c.layers, c.config.require({"num_hidden_layers", "n_layer", "num_layers"}, kLayerCount));
  CISTERN_TRY(c.dim, c.config.require({"hidden_size", "n_embd", "d_model"}, kWidth));
  CISTERN_TRY(const std::uint32_t vocabulary, c.config.require({"vocab_size"}, kVocabulary));
  CISTERN_TRY(const std::uint32_t context,
              c.config.value_or({"max_position_embeddings", "model_max_length", "max_seq_len", "n_positions"},
                                kUsualContext, kTokenCount));
  CISTERN_TRY(const auto eps, c.config.find_number({"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon",
                                                    "layernorm_epsilon", "norm_eps", "norm_epsilon"}));
  if (eps && (*eps <= 0 || *eps >= 1)) {
    return c.config.bad("rms_norm_eps", fmt::format("is {}, must be above 0 and below 1", *eps));
  }
  c.keys.set("block_count", c.layers);
  c.keys.set("embedding_length", c.dim);
  c.keys.set("vocab_size", vocabulary);
  c.keys.set("context_length", context);
  c.keys.set("attention.layer_norm_rms_epsilon",
             std::max(static_cast<float>(eps.value_or(kUsualEps)), 1e-30F));
  CISTERN_TRY_VOID(read_rope_base(c));
  CISTERN_TRY(tied, c.config.flag_or("tie_word_embeddings", tied));
  if (!tied) c.also.push_back(Role::kOutput);
  return {};
}

Result<void> read_heads(Conversion& c) {
  CISTERN_TRY(c.heads, c.config.require({"num_attention_heads", "n_head"}, kWidth));
  CISTERN_TRY(c.kv_heads, c.config.value_or({"num_key_value_heads"}, c.heads, kWidth));
  CISTERN_TRY(const auto head_dim, c.config.find({"head_dim", "attention_head_dim"}, kWidth));
  if (!head_dim && c.dim % c.heads != 0) {
    return c.config.bad("num_attention_heads",
                        fmt::format("{} does not divide the hidden size {}", c.heads, c.dim));
  }
  if (c.heads % c.kv_heads != 0) {
    return c.config.bad("num_key_value_heads",
                        fmt::format("{} does not divide the {} query heads", c.kv_heads, c.heads));
  }
  c.head_dim = head_dim.value_or(c.dim / c.heads);
  c.keys.set("attention.head_count", c.heads);
  c.keys.set("attention.head_count_kv", c.kv_heads);
  c.keys.set("attention.key_length", c.head_dim);
  c.keys.set("attention.value_length", c.head_dim);
  return read_rotated_part(c);
}

Result<void> read_dense_ffn(Conversion& c) {
  CISTERN_TRY(const std::uint32_t hidden, c.config.require({"intermediate_size", "n_inner"}, kWidth));
  c.keys.set("feed_forward_length", hidden);
  return {};
}

Result<void> read_window(Conversion& c) {
  CISTERN_TRY(const bool used, c.config.flag_or("use_sliding_window", true));
  CISTERN_TRY(const auto window, c.config.find({"sliding_window", "sliding_window_size"}, kTokenCount));
  if (used && window) c.keys.set("attention.sliding_window", *window);
  return {};
}

Result<std::vector<bool>> layers_of_type(const Conversion& c, std::string_view name) {
  constexpr std::string_view kTypes = "layer_types";
  CISTERN_TRY(const auto types, c.config.find_strings(kTypes));
  std::vector<bool> flags;
  if (!types) return flags;
  if (types->size() != c.layers) {
    return c.config.bad(kTypes, fmt::format("has {} values for {} layers", types->size(), c.layers));
  }
  for (const std::string& type : *types) flags.push_back(type == name);
  return flags;
}

Result<void> read_window_layers(Conversion& c, std::uint32_t period) {
  CISTERN_TRY_VOID(read_window(c));
  CISTERN_TRY(const std::vector<bool> windowed, layers_of_type(c, "sliding_attention"));
  CISTERN_TRY(period,
              c.config.value_or({"sliding_window_pattern", "_sliding_window_pattern"}, period, kLayerCount));
  std::vector<std::uint32_t> flags;
  for (std::uint32_t li = 0; li < c.layers; ++li) {
    const bool by_period = (li + 1) % period != 0;
    flags.push_back((windowed.empty() ? by_period : windowed[li]) ? 1 : 0);
  }
  c.keys.set_layers("attention.sliding_window_pattern", flags);
  return {};
}

Result<void> read_biases(Conversion& c) {
  CISTERN_TRY(const bool everywhere, c.config.flag_or("use_bias", false));
  CISTERN_TRY(const bool attention, c.config.flag_or("attention_bias", everywhere));
  CISTERN_TRY(const bool ffn, c.config.flag_or("mlp_bias", everywhere));
  if (attention) c.also.insert(c.also.end(), {Role::kBq, Role::kBk, Role::kBv, Role::kBo});
  if (ffn) c.also.insert(c.also.end(), {Role::kBGate, Role::kBUp, Role::kBDown});
  return {};
}

Result<Experts> read_experts(Conversion& c) {
  Experts experts;
  CISTERN_TRY(experts.count,
              c.config.require({"num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts"},
                               kExpertCount));
  CISTERN_TRY(experts.used, c.config.require({"num_experts_per_tok", "num_experts_per_token", "top_k_experts",
                                              "moe_k", "moe_topk"},
                                             {1, experts.count}));
  CISTERN_TRY(experts.hidden, c.config.require({"moe_intermediate_size", "intermediate_size"}, kWidth));
  c.keys.set("expert_count", experts.count);
  c.keys.set("expert_used_count", experts.used);
  c.keys.set("expert_feed_forward_length", experts.hidden);
  return experts;
}

Result<void> read_shared_experts(Conversion& c, const Experts& experts) {
  CISTERN_TRY(const std::uint32_t count, c.config.value_or({"n_shared_experts", "num_shared_experts",
                                                            "num_shared_expert", "moe_num_shared_experts"},
                                                           0, {0, 256}));
  CISTERN_TRY(
      const auto hidden,
      c.config.find({"shared_expert_intermediate_size", "moe_shared_expert_intermediate_size"}, kMaybeWidth));
  const std::uint64_t all = hidden ? *hidden : std::uint64_t{count} * experts.hidden;
  if (all > kWidth.high) {
    return c.config.bad("n_shared_experts",
                        fmt::format("{} experts of {} values are beyond any model", count, experts.hidden));
  }
  if (all > 0) c.keys.set("expert_shared_feed_forward_length", static_cast<std::uint32_t>(all));
  return {};
}

Result<void> read_routing(Conversion& c) {
  CISTERN_TRY(const std::uint32_t dense,
              c.config.value_or({"first_k_dense_replace", "moe_layer_start_index"}, 0, {0, c.layers}));
  c.keys.set("leading_dense_block_count", dense);
  CISTERN_TRY(const std::uint32_t groups,
              c.config.value_or({"n_group", "num_expert_group"}, 1, kExpertCount));
  CISTERN_TRY(const std::uint32_t groups_used, c.config.value_or({"topk_group"}, groups, kExpertCount));
  if (groups > 1) {
    c.keys.set("expert_group_count", groups);
    c.keys.set("expert_group_used_count", groups_used);
  }
  CISTERN_TRY(const auto scale, c.config.find_number({"routed_scaling_factor"}));
  if (scale && (*scale <= 0 || *scale > 1e6)) {
    return c.config.bad("routed_scaling_factor", fmt::format("is {}, must be above 0", *scale));
  }
  if (scale) c.keys.set("expert_weights_scale", std::max(static_cast<float>(*scale), 1e-30F));
  return {};
}

// The cache holds one row, that of all heads.
Result<void> read_latent_attention(Conversion& c) {
  constexpr Bounds kHead = {1, 1U << 11U};
  CISTERN_TRY(c.heads, c.config.require({"num_attention_heads"}, {1, 1U << 12U}));
  CISTERN_TRY(const std::uint32_t q_rank, c.config.value_or({"q_lora_rank"}, 0, kMaybeWidth));
  CISTERN_TRY(const std::uint32_t kv_rank, c.config.require({"kv_lora_rank"}, {1, 1U << 14U}));
  CISTERN_TRY(const std::uint32_t nope, c.config.require({"qk_nope_head_dim"}, kHead));
  CISTERN_TRY(const std::uint32_t rope, c.config.require({"qk_rope_head_dim"}, {2, kHead.high}));
  CISTERN_TRY(const std::uint32_t values, c.config.require({"v_head_dim"}, kHead));
  if (rope % 2 != 0) return c.config.bad("qk_rope_head_dim", fmt::format("is {}, must be even", rope));
  if (std::uint64_t{kv_rank + rope} * c.heads > kWidth.high) {
    return c.config.bad("kv_lora_rank",
                        fmt::format("{} heads of {} values are beyond any model", c.heads, kv_rank + rope));
  }
  c.kv_heads = 1;
  c.head_dim = kv_rank + rope;
  c.keys.set("attention.head_count", c.heads);
  c.keys.set("attention.head_count_kv", 1U);
  if (q_rank > 0) c.keys.set("attention.q_lora_rank", q_rank);
  c.keys.set("attention.kv_lora_rank", kv_rank);
  c.keys.set("attention.key_length", kv_rank + rope);
  c.keys.set("attention.value_length", kv_rank);
  c.keys.set("attention.key_length_mla", nope + rope);
  c.keys.set("attention.value_length_mla", values);
  c.keys.set("rope.dimension_count", rope);
  return {};
}

Result<void> read_further_layers(Conversion& c, Names names) {
  constexpr std::uint32_t kMaxFurther = 64;
  CISTERN_TRY(const std::uint32_t further, c.config.value_or(names, 0, {0, kMaxFurther}));
  if (further == 0) return {};
  if (c.layers + further > kLayerCount.high) {
    return c.config.bad("num_hidden_layers", fmt::format("is {}, too many", c.layers));
  }
  c.keys.set("block_count", c.layers + further);
  c.keys.set("nextn_predict_layers", further);
  return {};
}

}  // namespace cistern::spec::hub
