#include "spec/builder.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace cistern::spec {
namespace {

// No model comes near these; they keep every product of two dimensions inside 64 bits and memory.
constexpr std::uint32_t kMaxDim = 1U << 20U;
constexpr std::uint32_t kMaxLayers = 1U << 12U;
constexpr std::uint32_t kMaxVocab = 1U << 24U;

}  // namespace

Result<Builder> Builder::create(const file::Inventory& inventory, std::string arch, Source source) {
  Builder builder(inventory, source);
  builder.model.arch = std::move(arch);
  CISTERN_TRY_VOID(builder.read_dimensions());
  CISTERN_TRY_VOID(builder.read_heads());
  return builder;
}

std::unexpected<Error> Builder::bad_key(std::string_view suffix, std::string message) const {
  const file::Value* value = metadata().find(key(suffix));
  std::string where = fmt::format("{}: key '{}'", metadata().where(), key(suffix));
  if (value != nullptr) where += fmt::format(" at byte {}", value->offset);
  return fail(ErrorCode::kFormat, std::move(message), std::move(where));
}

Result<std::optional<std::uint32_t>> Builder::find_u32(std::string_view suffix, std::uint32_t low,
                                                       std::uint32_t high) const {
  CISTERN_TRY(const std::optional<std::uint64_t> value, metadata().find_uint(key(suffix)));
  if (!value) return std::nullopt;
  if (*value < low || *value > high) {
    return bad_key(suffix,
                   fmt::format("is {}, must be between {} and {}; the file is damaged", *value, low, high));
  }
  return static_cast<std::uint32_t>(*value);
}

Result<std::optional<float>> Builder::find_positive(std::string_view suffix) const {
  CISTERN_TRY(const std::optional<double> value, metadata().find_number(key(suffix)));
  if (!value) return std::nullopt;
  const auto narrowed = static_cast<float>(*value);
  if (!std::isfinite(narrowed) || narrowed <= 0) {
    return bad_key(suffix, fmt::format("is {}, must be a positive number; the file is damaged", *value));
  }
  return narrowed;
}

Result<float> Builder::positive_or(std::string_view suffix, float fallback) const {
  CISTERN_TRY(const std::optional<float> value, find_positive(suffix));
  return value.value_or(fallback);
}

Result<void> Builder::read_dimensions() {
  const auto require = [this](std::string_view suffix, std::uint32_t high) -> Result<std::uint32_t> {
    CISTERN_TRY(const std::optional<std::uint32_t> value, find_u32(suffix, 1, high));
    if (!value) return bad_key(suffix, "is missing; the file is no complete model");
    return *value;
  };
  CISTERN_TRY(const std::uint32_t n_layers, require("block_count", kMaxLayers));
  CISTERN_TRY(model.dim, require("embedding_length", kMaxDim));
  CISTERN_TRY(model.context_tokens, require("context_length", std::numeric_limits<std::uint32_t>::max()));
  CISTERN_TRY(const std::optional<float> eps, find_positive("attention.layer_norm_rms_epsilon"));
  if (!eps) return bad_key("attention.layer_norm_rms_epsilon", "is missing; the file is no complete model");
  model.norm_eps = *eps;

  // A layer needs at least one tensor: a cheap bound before anything is allocated per layer.
  if (source_ == Source::kFile && n_layers > inventory_->tensors().size()) {
    return bad_key("block_count", fmt::format("is {}, but the file has only {} tensors", n_layers,
                                              inventory_->tensors().size()));
  }
  model.layers.resize(n_layers);

  CISTERN_TRY(const auto tokens, metadata().strings("tokenizer.ggml.tokens"));
  if (tokens.empty() || tokens.size() > kMaxVocab) {
    return fail(ErrorCode::kFormat, fmt::format("has {} tokens; the vocabulary is damaged", tokens.size()),
                metadata().where() + ": key 'tokenizer.ggml.tokens'");
  }
  model.n_vocab = static_cast<std::uint32_t>(tokens.size());

  CISTERN_TRY(const auto experts, find_u32("expert_count", 0, std::numeric_limits<std::uint32_t>::max()));
  if (experts.value_or(0) > 0) {
    auto error =
        bad_key("expert_count", fmt::format("is {}: mixtures of experts are not supported yet", *experts));
    error.error().code = ErrorCode::kUnsupported;
    return error;
  }
  return {};
}

Result<void> Builder::read_heads() {
  // head_count, head_count_kv and feed_forward_length are one number, or an array with one per layer.
  const auto per_layer = [this](std::string_view suffix) -> Result<std::vector<std::uint32_t>> {
    if (!metadata().has(key(suffix))) return bad_key(suffix, "is missing; the file is no complete model");
    CISTERN_TRY(std::vector<std::uint64_t> values, metadata().uints(key(suffix)));
    const bool is_scalar = metadata().find(key(suffix))->type != file::ValueType::kArray;
    if (is_scalar) values.resize(model.layers.size(), values[0]);
    if (values.size() != model.layers.size()) {
      return bad_key(suffix, fmt::format("has {} values for {} layers", values.size(), model.layers.size()));
    }
    std::vector<std::uint32_t> result;
    for (const std::uint64_t value : values) {
      if (value < 1 || value > kMaxDim) {
        return bad_key(suffix,
                       fmt::format("is {}, must be between 1 and {}; the file is damaged", value, kMaxDim));
      }
      result.push_back(static_cast<std::uint32_t>(value));
    }
    return result;
  };
  CISTERN_TRY(const std::vector<std::uint32_t> heads, per_layer("attention.head_count"));
  std::vector<std::uint32_t> kv_heads = heads;
  if (metadata().has(key("attention.head_count_kv"))) {
    CISTERN_TRY(kv_heads, per_layer("attention.head_count_kv"));
  }
  CISTERN_TRY(const std::vector<std::uint32_t> hidden, per_layer("feed_forward_length"));
  CISTERN_TRY(const auto key_length, find_u32("attention.key_length", 1, kMaxDim));
  CISTERN_TRY(const auto value_length, find_u32("attention.value_length", 1, kMaxDim));
  CISTERN_TRY(const auto scale, find_positive("attention.scale"));

  for (std::size_t li = 0; li < model.layers.size(); ++li) {
    if (heads[li] % kv_heads[li] != 0) {
      return bad_key("attention.head_count_kv",
                     fmt::format("{} does not divide the {} query heads", kv_heads[li], heads[li]));
    }
    if (!key_length && model.dim % heads[li] != 0) {
      return bad_key("attention.head_count",
                     fmt::format("{} does not divide embedding_length {}", heads[li], model.dim));
    }
    AttentionSpec& attention = model.layers[li].attention;
    attention.n_heads = heads[li];
    attention.n_kv_heads = kv_heads[li];
    attention.head_dim = key_length.value_or(model.dim / heads[li]);
    attention.value_dim = value_length.value_or(model.dim / heads[li]);
    attention.scale = scale.value_or(1.0F / std::sqrt(static_cast<float>(attention.head_dim)));
    model.layers[li].ffn.hidden = hidden[li];
    if (std::uint64_t{attention.head_dim} * heads[li] > kMaxDim) {
      return bad_key("attention.head_count", fmt::format("{} heads of {} values are beyond any model",
                                                         heads[li], attention.head_dim));
    }
  }
  return {};
}

Result<std::uint32_t> Builder::sliding_window() const {
  CISTERN_TRY(const auto window,
              find_u32("attention.sliding_window", 0, std::numeric_limits<std::uint32_t>::max()));
  return window.value_or(0);
}

Result<void> Builder::set_window_everywhere() {
  CISTERN_TRY(const std::uint32_t window, sliding_window());
  set_windows(window, [](std::uint32_t) { return true; });
  return {};
}

void Builder::add(std::string name, Shape shape, Role role, int layer, bool optional) {
  model.tensors.push_back(
      {.name = std::move(name), .shape = shape, .role = role, .layer = layer, .optional = optional});
}

void Builder::add_embedding_and_output() {
  add("token_embd.weight", Shape(model.dim, model.n_vocab), Role::kTokenEmbedding);
  add("output_norm.weight", Shape(model.dim), Role::kOutputNorm);
  add("output.weight", Shape(model.dim, model.n_vocab), Role::kOutput, kNoLayer, true);
  model.tied_output = inventory_->find("output.weight") == nullptr;
}

void Builder::add_qkv(int layer, const AttentionTensors& options) {
  const AttentionSpec& a = model.layers[static_cast<std::size_t>(layer)].attention;
  const std::string prefix = fmt::format("blk.{}.", layer);
  const std::uint64_t q_rows = std::uint64_t{a.n_heads} * a.head_dim;
  const std::uint64_t k_rows = std::uint64_t{a.n_kv_heads} * a.head_dim;
  const std::uint64_t v_rows = std::uint64_t{a.n_kv_heads} * a.value_dim;
  const bool bias_optional = !options.qkv_bias;
  const bool fused =
      source_ == Source::kFile ? inventory_->find(prefix + "attn_qkv.weight") != nullptr : options.fused_qkv;
  if (fused) {
    add(prefix + "attn_qkv.weight", Shape(model.dim, q_rows + k_rows + v_rows), Role::kWqkv, layer);
    add(prefix + "attn_qkv.bias", Shape(q_rows + k_rows + v_rows), Role::kBqkv, layer, bias_optional);
    return;
  }
  add(prefix + "attn_q.weight", Shape(model.dim, q_rows), Role::kWq, layer);
  add(prefix + "attn_k.weight", Shape(model.dim, k_rows), Role::kWk, layer);
  add(prefix + "attn_v.weight", Shape(model.dim, v_rows), Role::kWv, layer);
  add(prefix + "attn_q.bias", Shape(q_rows), Role::kBq, layer, bias_optional);
  add(prefix + "attn_k.bias", Shape(k_rows), Role::kBk, layer, bias_optional);
  add(prefix + "attn_v.bias", Shape(v_rows), Role::kBv, layer, bias_optional);
}

void Builder::add_attention(const AttentionTensors& options) {
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    const AttentionSpec& a = model.layers[static_cast<std::size_t>(li)].attention;
    const std::string prefix = fmt::format("blk.{}.", li);
    add(prefix + "attn_norm.weight", Shape(model.dim), Role::kAttnNorm, li);
    add_qkv(li, options);
    if (options.qk_norm) {
      add(prefix + "attn_q_norm.weight", Shape(a.head_dim), Role::kQNorm, li);
      add(prefix + "attn_k_norm.weight", Shape(a.head_dim), Role::kKNorm, li);
    }
    add(prefix + "attn_output.weight", Shape(std::uint64_t{a.n_heads} * a.value_dim, model.dim), Role::kWo,
        li);
    add(prefix + "attn_output.bias", Shape(model.dim), Role::kBo, li, true);
    if (options.post_norm)
      add(prefix + "post_attention_norm.weight", Shape(model.dim), Role::kPostAttnNorm, li);
  }
}

void Builder::add_gated_ffn(const FfnTensors& options) {
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    const std::uint64_t hidden = model.layers[static_cast<std::size_t>(li)].ffn.hidden;
    const std::string prefix = fmt::format("blk.{}.", li);
    add(prefix + "ffn_norm.weight", Shape(model.dim), Role::kFfnNorm, li);
    if (options.fused_gate_up) {
      add(prefix + "ffn_up.weight", Shape(model.dim, 2 * hidden), Role::kWGateUp, li);
    } else {
      add(prefix + "ffn_gate.weight", Shape(model.dim, hidden), Role::kWGate, li);
      add(prefix + "ffn_gate.bias", Shape(hidden), Role::kBGate, li, true);
      add(prefix + "ffn_up.weight", Shape(model.dim, hidden), Role::kWUp, li);
      add(prefix + "ffn_up.bias", Shape(hidden), Role::kBUp, li, true);
    }
    add(prefix + "ffn_down.weight", Shape(hidden, model.dim), Role::kWDown, li);
    add(prefix + "ffn_down.bias", Shape(model.dim), Role::kBDown, li, true);
    if (options.post_norm) add(prefix + "post_ffw_norm.weight", Shape(model.dim), Role::kPostFfnNorm, li);
  }
}

}  // namespace cistern::spec
