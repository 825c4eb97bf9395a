// Families of mixtures of experts whose attention is plain.
#include <fmt/format.h>

#include "spec/hub/families.h"

namespace cistern::spec::hub {
namespace {

// Attention and a dense block that layers without experts have; its size may be left out.
Result<void> start(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  CISTERN_TRY(const auto hidden, c.config.find({"intermediate_size"}, kWidth));
  if (hidden) c.keys.set("feed_forward_length", *hidden);
  return read_biases(c);
}

}  // namespace

Result<void> read_mixture(Conversion& c) {
  CISTERN_TRY_VOID(start(c));
  CISTERN_TRY(const Experts experts, read_experts(c));
  CISTERN_TRY_VOID(read_shared_experts(c, experts));
  return read_routing(c);
}

Result<void> read_llama4(Conversion& c) {
  CISTERN_TRY_VOID(start(c));
  CISTERN_TRY(const std::uint32_t dense, c.config.require({"intermediate_size_mlp"}, kWidth));
  CISTERN_TRY(const std::uint32_t step, c.config.value_or({"interleave_moe_layer_step"}, 1, {1, c.layers}));
  CISTERN_TRY(const auto chunk, c.config.find({"attention_chunk_size"}, kTokenCount));
  c.keys.set("feed_forward_length", dense);
  c.keys.set("interleave_moe_layer_step", step);
  if (chunk) c.keys.set("attention.sliding_window", *chunk);
  CISTERN_TRY_VOID(read_experts(c));
  return {};
}

Result<void> read_gpt_oss(Conversion& c) {
  CISTERN_TRY_VOID(start(c));
  CISTERN_TRY_VOID(read_window(c));
  c.also.insert(c.also.end(), {Role::kSinks, Role::kBo});
  CISTERN_TRY_VOID(read_experts(c));
  return {};
}

Result<void> read_glm4_moe(Conversion& c) {
  CISTERN_TRY_VOID(read_mixture(c));
  c.own_further_embeddings = true;
  return read_further_layers(c, {"num_nextn_predict_layers"});
}

Result<void> read_phimoe(Conversion& c) {
  CISTERN_TRY_VOID(read_mixture(c));
  CISTERN_TRY(const bool head_bias, c.config.flag_or("lm_head_bias", false));
  if (head_bias) c.also.push_back(Role::kOutputBias);
  c.also.insert(c.also.end(), {Role::kAttnNormBias, Role::kFfnNormBias, Role::kOutputNormBias});
  return read_window(c);
}

// Layers with a window have more key-value heads; the first layer is dense.
Result<void> read_mimo2(Conversion& c) {
  CISTERN_TRY_VOID(read_mixture(c));
  CISTERN_TRY_VOID(read_window(c));
  CISTERN_TRY(const auto windowed, c.config.find_list("hybrid_layer_pattern", {0, 1}));
  if (!windowed) return c.config.missing("hybrid_layer_pattern");
  if (windowed->size() != c.layers) {
    return c.config.bad("hybrid_layer_pattern",
                        fmt::format("has {} values for {} layers", windowed->size(), c.layers));
  }
  CISTERN_TRY(const std::uint32_t windowed_heads,
              c.config.value_or({"swa_num_key_value_heads"}, c.kv_heads, {1, c.heads}));
  CISTERN_TRY(const std::uint32_t value_dim, c.config.value_or({"v_head_dim"}, c.head_dim, kWidth));
  std::vector<std::uint32_t> kv_heads;
  for (const std::uint32_t has_window : *windowed)
    kv_heads.push_back(has_window != 0 ? windowed_heads : c.kv_heads);
  c.keys.set_layers("attention.head_count_kv", kv_heads);
  c.keys.set_layers("attention.sliding_window_pattern", *windowed);
  c.keys.set("attention.value_length", value_dim);
  c.also.push_back(Role::kSinks);
  return {};
}

}  // namespace cistern::spec::hub
