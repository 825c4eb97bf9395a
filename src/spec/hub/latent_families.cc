// Families with latent attention, DeepSeek's and those that took it over, and with the compressed attention
// that followed it.
#include <fmt/format.h>

#include <algorithm>

#include "spec/hub/families.h"

namespace cistern::spec::hub {
namespace {

// By the numbers of expert_gating_func.
constexpr std::uint32_t kSoftmaxGating = 1;
constexpr std::uint32_t kSigmoidGating = 2;
constexpr std::uint32_t kSqrtSoftplusGating = 4;

Result<void> read_indexer(Conversion& c) {
  CISTERN_TRY(const std::uint32_t heads, c.config.require({"index_n_heads"}, {1, 4096}));
  CISTERN_TRY(const std::uint32_t dim, c.config.require({"index_head_dim"}, {2, 4096}));
  CISTERN_TRY(const std::uint32_t top_k, c.config.require({"index_topk"}, kWidth));
  c.keys.set("attention.indexer.head_count", heads);
  c.keys.set("attention.indexer.key_length", dim);
  c.keys.set("attention.indexer.top_k", top_k);
  return {};
}

Result<void> read_mixture_of_latent(Conversion& c) {
  CISTERN_TRY(const Experts experts, read_experts(c));
  CISTERN_TRY_VOID(read_shared_experts(c, experts));
  CISTERN_TRY_VOID(read_routing(c));
  CISTERN_TRY(const auto scores, c.config.find_string("scoring_func"));
  c.keys.set("expert_gating_func", scores == "softmax" ? kSoftmaxGating : kSigmoidGating);
  CISTERN_TRY(const bool normalize, c.config.flag_or("norm_topk_prob", false));
  c.keys.set("expert_weights_norm", normalize);
  return {};
}

// Tokens that a layer's compressed attention makes one of: listed, or told by the layer's type.
Result<std::vector<std::uint32_t>> compress_ratios(const Conversion& c) {
  constexpr std::uint32_t kIndexedRatio = 4;
  constexpr std::uint32_t kHighRatio = 128;
  CISTERN_TRY(auto ratios, c.config.find_list("compress_ratios", {0, 1U << 12U}));
  if (ratios) {
    // Layers that predict further tokens may be listed too.
    if (ratios->size() < c.layers) {
      return c.config.bad("compress_ratios",
                          fmt::format("has {} values for {} layers", ratios->size(), c.layers));
    }
    ratios->resize(c.layers);
    return *std::move(ratios);
  }
  CISTERN_TRY(const std::vector<bool> sparse, layers_of_type(c, "compressed_sparse_attention"));
  CISTERN_TRY(const std::vector<bool> heavy, layers_of_type(c, "heavily_compressed_attention"));
  if (sparse.empty()) return c.config.missing("compress_ratios");
  std::vector<std::uint32_t> by_type;
  for (std::uint32_t li = 0; li < c.layers; ++li) {
    by_type.push_back(sparse[li] ? kIndexedRatio : heavy[li] ? kHighRatio : 0);
  }
  return by_type;
}

// Layers that choose experts by token.
Result<std::uint32_t> hashed_layers(const Conversion& c) {
  CISTERN_TRY(const auto types, c.config.find_strings("mlp_layer_types"));
  if (types) {
    return static_cast<std::uint32_t>(
        std::min<std::ptrdiff_t>(std::ranges::count(*types, "hash_moe"), c.layers));
  }
  return c.config.value_or({"num_hash_layers"}, 0, {0, c.layers});
}

}  // namespace

// Files leave out the layer that predicts a further token.
Result<void> read_deepseek(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_latent_attention(c));
  CISTERN_TRY_VOID(read_dense_ffn(c));
  return read_mixture_of_latent(c);
}

Result<void> read_deepseek_indexed(Conversion& c) {
  CISTERN_TRY_VOID(read_deepseek(c));
  return read_indexer(c);
}

Result<void> read_glm_dsa(Conversion& c) {
  CISTERN_TRY_VOID(read_deepseek_indexed(c));
  return read_further_layers(c, {"num_nextn_predict_layers"});
}

Result<void> read_deepseek_v4(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  const auto copy = [&c](std::string_view field, std::string_view key, Bounds bounds) -> Result<void> {
    CISTERN_TRY(const std::uint32_t number, c.config.require({field}, bounds));
    c.keys.set(key, number);
    return {};
  };
  CISTERN_TRY_VOID(copy("qk_rope_head_dim", "rope.dimension_count", {2, c.head_dim}));
  CISTERN_TRY_VOID(copy("q_lora_rank", "attention.q_lora_rank", kWidth));
  CISTERN_TRY_VOID(copy("sliding_window", "attention.sliding_window", kWidth));
  CISTERN_TRY_VOID(copy("o_groups", "attention.output_group_count", {1, c.heads}));
  CISTERN_TRY_VOID(copy("o_lora_rank", "attention.output_lora_rank", {1, 1U << 16U}));
  CISTERN_TRY_VOID(copy("hc_mult", "hyper_connection.count", {1, 16}));
  CISTERN_TRY_VOID(copy("hc_sinkhorn_iters", "hyper_connection.sinkhorn_iterations", {1, 1000}));
  CISTERN_TRY_VOID(read_indexer(c));
  CISTERN_TRY(const std::vector<std::uint32_t> ratios, compress_ratios(c));
  CISTERN_TRY(const std::uint32_t hashed, hashed_layers(c));
  constexpr float kUsualClamp = 10;  // of a size that changes nothing that is counted
  const std::vector<float> clamps(c.layers, kUsualClamp);
  c.keys.set("attention.head_count_kv", 1U);
  c.keys.set_layers("attention.compress_ratios", ratios);
  c.keys.set("hash_layer_count", hashed);
  c.keys.set("swiglu_clamp_exp", clamps);
  c.keys.set("swiglu_clamp_shexp", clamps);
  CISTERN_TRY(const Experts experts, read_experts(c));
  CISTERN_TRY_VOID(read_shared_experts(c, experts));
  CISTERN_TRY_VOID(read_routing(c));
  c.keys.set("expert_gating_func", kSqrtSoftplusGating);
  c.keys.set("expert_weights_norm", true);
  return {};
}

Result<void> read_kimi_linear(Conversion& c) {
  CISTERN_TRY_VOID(read_deepseek(c));
  constexpr std::string_view kDelta = "linear_attn_config";
  const auto delta = c.config.find_object(kDelta);
  if (!delta) return c.config.missing(kDelta);
  CISTERN_TRY(const std::uint32_t head_dim, delta->require({"head_dim"}, {1, 4096}));
  CISTERN_TRY(const std::uint32_t width, delta->require({"short_conv_kernel_size"}, {2, 8}));
  CISTERN_TRY(const auto full, delta->find_list("full_attn_layers", {1, c.layers}));
  if (!full) return delta->missing("full_attn_layers");
  std::vector<std::uint32_t> kv_heads(c.layers, 0);
  for (const std::uint32_t layer : *full) kv_heads[layer - 1] = 1;  // they are counted from 1
  c.keys.set_layers("attention.head_count_kv", kv_heads);
  c.keys.set("kda.head_dim", head_dim);
  c.keys.set("ssm.conv_kernel", width);
  return {};
}

}  // namespace cistern::spec::hub
