// Families with attention and a dense block in every layer, and the Gemmas, one of which has experts beside
// that block.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "spec/hub/families.h"

namespace cistern::spec::hub {
namespace {

// Newer files of Gemma drop the rows of the embedding that stand for no token.
constexpr std::uint32_t kGemmaTokens = 262144;

Result<void> drop_unused_tokens(Conversion& c) {
  CISTERN_TRY(const std::uint32_t vocabulary, c.config.require({"vocab_size"}, kVocabulary));
  c.keys.set("vocab_size", std::min(vocabulary, kGemmaTokens));
  return {};
}

// An input of each layer's own, caches that the last layers share.
Result<std::uint32_t> read_small_gemma(Conversion& c) {
  CISTERN_TRY(const std::uint32_t input, c.config.value_or({"hidden_size_per_layer_input"}, 0, kMaybeWidth));
  CISTERN_TRY(const std::uint32_t shared, c.config.value_or({"num_kv_shared_layers"}, 0, {0, c.layers - 1}));
  if (input > 0) c.keys.set("embedding_length_per_layer_input", input);
  c.keys.set("attention.shared_kv_layers", shared);
  // Files keep the keys and values of layers that never use them.
  c.also.insert(c.also.end(), {Role::kWk, Role::kWv, Role::kKNorm});
  return shared;
}

}  // namespace

Result<void> read_dense(Conversion& c) {
  CISTERN_TRY_VOID(read_model(c));
  CISTERN_TRY_VOID(read_heads(c));
  CISTERN_TRY_VOID(read_dense_ffn(c));
  return read_biases(c);
}

// Windows are for layers that no published model has.
Result<void> read_qwen(Conversion& c) {
  return read_dense(c);
}

Result<void> read_phi3(Conversion& c) {
  CISTERN_TRY_VOID(read_dense(c));
  return read_window(c);
}

Result<void> read_starcoder2(Conversion& c) {
  CISTERN_TRY_VOID(read_dense(c));
  c.also.insert(c.also.end(), {Role::kAttnNormBias, Role::kFfnNormBias, Role::kOutputNormBias});
  return read_window(c);
}

Result<void> read_windows_of_four(Conversion& c) {
  constexpr std::uint32_t kPeriod = 4;
  CISTERN_TRY_VOID(read_dense(c));
  return read_window_layers(c, kPeriod);
}

Result<void> read_gemma2(Conversion& c) {
  CISTERN_TRY_VOID(read_dense(c));
  return read_window(c);
}

Result<void> read_gemma3(Conversion& c) {
  constexpr std::uint32_t kPeriod = 6;
  CISTERN_TRY_VOID(read_dense(c));
  CISTERN_TRY_VOID(drop_unused_tokens(c));
  return read_window_layers(c, kPeriod);
}

Result<void> read_gemma3n(Conversion& c) {
  constexpr std::uint32_t kPeriod = 5;
  CISTERN_TRY_VOID(read_dense(c));
  CISTERN_TRY_VOID(drop_unused_tokens(c));
  CISTERN_TRY_VOID(read_window_layers(c, kPeriod));
  CISTERN_TRY_VOID(read_small_gemma(c));
  CISTERN_TRY(const std::uint32_t streams, c.config.require({"altup_num_inputs"}, {2, 16}));
  CISTERN_TRY(const std::uint32_t active, c.config.value_or({"altup_active_idx"}, 0, {0, streams - 1}));
  c.keys.set("altup.num_inputs", streams);
  c.keys.set("altup.active_idx", active);
  // Which gates are sparse changes nothing that is counted.
  c.keys.set("activation_sparsity_scale",
             std::vector<float>(c.layers, -std::numeric_limits<float>::infinity()));
  return {};
}

// The large models have fewer key-value heads in layers that see everything, and no values of their own
// there.
Result<void> read_gemma4(Conversion& c) {
  constexpr std::uint32_t kPeriod = 6;
  CISTERN_TRY_VOID(read_dense(c));
  CISTERN_TRY_VOID(drop_unused_tokens(c));
  CISTERN_TRY_VOID(read_window_layers(c, kPeriod));
  CISTERN_TRY(const std::uint32_t shared, read_small_gemma(c));
  CISTERN_TRY(const std::uint32_t full_dim, c.config.value_or({"global_head_dim"}, c.head_dim, kWidth));
  CISTERN_TRY(const std::uint32_t full_heads,
              c.config.value_or({"num_global_key_value_heads"}, c.kv_heads, {1, c.heads}));
  CISTERN_TRY(c.keys_are_values, c.config.flag_or("attention_k_eq_v", false));
  CISTERN_TRY(const bool wide, c.config.flag_or("use_double_wide_mlp", false));
  CISTERN_TRY(const std::uint32_t hidden, c.config.require({"intermediate_size"}, {1, kWidth.high / 2}));
  CISTERN_TRY(const std::vector<bool> windowed, layers_of_type(c, "sliding_attention"));
  std::vector<std::uint32_t> kv_heads;
  std::vector<std::uint32_t> hiddens;
  for (std::uint32_t li = 0; li < c.layers; ++li) {
    const bool is_windowed = windowed.empty() ? (li + 1) % kPeriod != 0 : windowed[li];
    kv_heads.push_back(is_windowed ? c.kv_heads : full_heads);
    hiddens.push_back(wide && li >= c.layers - shared ? 2 * hidden : hidden);
  }
  c.keys.set_layers("attention.head_count_kv", kv_heads);
  c.keys.set_layers("feed_forward_length", hiddens);
  c.keys.set("attention.key_length", full_dim);
  c.keys.set("attention.value_length", full_dim);
  c.keys.set("attention.key_length_swa", c.head_dim);
  c.keys.set("attention.value_length_swa", c.head_dim);
  c.keys.set("rope.dimension_count", full_dim / 2 * 2);
  c.keys.set("rope.dimension_count_swa", c.head_dim / 2 * 2);
  c.also.insert(c.also.end(), {Role::kLayerScale, Role::kExpertsDownScale});
  CISTERN_TRY(const bool mixture, c.config.flag_or("enable_moe_block", c.config.has("num_experts")));
  if (!mixture) return {};
  CISTERN_TRY_VOID(read_experts(c));
  return {};
}

}  // namespace cistern::spec::hub
