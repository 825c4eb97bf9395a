#include "spec/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "spec/rope.h"

namespace cistern::spec {
namespace {

constexpr std::uint32_t kMaxLayers = 1U << 12U;
constexpr std::uint32_t kMaxVocab = 1U << 24U;
constexpr std::uint32_t kAny = std::numeric_limits<std::uint32_t>::max();

}  // namespace

Result<Builder> Builder::create(const file::Inventory& inventory, std::string arch, Source source,
                                bool with_mtp) {
  Builder builder(inventory, source);
  builder.model.arch = std::move(arch);
  CISTERN_TRY_VOID(builder.read_dimensions(with_mtp));
  CISTERN_TRY_VOID(builder.read_heads());
  CISTERN_TRY_VOID(builder.read_pooling());
  return builder;
}

std::unexpected<Error> Builder::bad_key(std::string_view suffix, std::string message) const {
  const file::Value* value = metadata().find(key(suffix));
  std::string where = fmt::format("{}: key '{}'", metadata().where(), key(suffix));
  if (value != nullptr) where += fmt::format(" at byte {}", value->offset);
  return fail(ErrorCode::kFormat, std::move(message), std::move(where));
}

std::unexpected<Error> Builder::unsupported(std::string_view suffix, std::string message) const {
  auto error = bad_key(suffix, std::move(message));
  error.error().code = ErrorCode::kUnsupported;
  return error;
}

bool Builder::has_tensor(const std::string& name, bool usual) const {
  return source_ == Source::kMetadata ? usual : inventory_->find(name) != nullptr;
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

Result<std::uint32_t> Builder::require_u32(std::string_view suffix, std::uint32_t low,
                                           std::uint32_t high) const {
  CISTERN_TRY(const std::optional<std::uint32_t> value, find_u32(suffix, low, high));
  if (!value) return bad_key(suffix, "is missing; the file is no complete model");
  return *value;
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

Result<bool> Builder::flag_or(std::string_view suffix, bool fallback) const {
  CISTERN_TRY(const std::optional<bool> value, metadata().find_boolean(key(suffix)));
  return value.value_or(fallback);
}

Result<std::optional<std::vector<std::uint32_t>>> Builder::find_per_layer(std::string_view suffix,
                                                                          std::uint32_t high) const {
  const file::Value* value = metadata().find(key(suffix));
  if (value == nullptr) return std::nullopt;
  CISTERN_TRY(std::vector<std::uint64_t> values, metadata().uints(key(suffix)));
  const std::size_t n_main = n_main_layers();
  if (value->type != file::ValueType::kArray) values.resize(n_main, values[0]);
  // An array may also have values for layers that predict further tokens.
  if (values.size() != n_main && values.size() != n_main + model.n_further_layers) {
    return bad_key(suffix, fmt::format("has {} values for {} layers", values.size(), n_main));
  }
  values.resize(model.layers.size(), values[n_main - 1]);
  std::vector<std::uint32_t> result;
  for (const std::uint64_t v : values) {
    if (v > high) {
      return bad_key(suffix, fmt::format("is {}, must be at most {}; the file is damaged", v, high));
    }
    result.push_back(static_cast<std::uint32_t>(v));
  }
  return result;
}

Result<std::vector<float>> Builder::floats_per_layer(std::string_view suffix) const {
  const file::Value* value = metadata().find(key(suffix));
  std::vector<float> numbers;
  if (value != nullptr && value->type != file::ValueType::kArray) {
    CISTERN_TRY(const double number, metadata().number(key(suffix)));
    numbers.assign(model.layers.size(), static_cast<float>(number));
  } else {
    CISTERN_TRY(numbers, metadata().floats(key(suffix)));
  }
  if (numbers.size() < model.layers.size()) {
    return bad_key(suffix, fmt::format("has {} values for {} layers", numbers.size(), model.layers.size()));
  }
  numbers.resize(model.layers.size());
  for (const float number : numbers) {
    if (!std::isfinite(number) || number < 0) {
      return bad_key(suffix, fmt::format("is {}, must be 0 or more; the file is damaged", number));
    }
  }
  return numbers;
}

Result<std::vector<bool>> Builder::flags_per_layer(std::string_view suffix) const {
  const file::Value* value = metadata().find(key(suffix));
  std::vector<bool> flags;
  if (value != nullptr && value->element == file::ValueType::kBool) {
    CISTERN_TRY(flags, metadata().booleans(key(suffix)));
  } else {
    CISTERN_TRY(const std::vector<std::uint64_t> numbers, metadata().uints(key(suffix)));
    for (const std::uint64_t number : numbers) flags.push_back(number != 0);
  }
  if (flags.size() < n_main_layers()) {
    return bad_key(suffix, fmt::format("has {} values for {} layers", flags.size(), n_main_layers()));
  }
  flags.resize(n_main_layers());
  return flags;
}

Result<void> Builder::read_dimensions(bool with_mtp) {
  CISTERN_TRY(const std::uint32_t n_blocks, require_u32("block_count", 1, kMaxLayers));
  CISTERN_TRY(model.dim, require_u32("embedding_length", 1, kMaxDim));
  CISTERN_TRY(model.context_tokens, require_u32("context_length", 1, kAny));
  CISTERN_TRY(std::optional<float> eps, find_positive("attention.layer_norm_rms_epsilon"));
  if (!eps) {
    CISTERN_TRY(eps, find_positive("attention.layer_norm_epsilon"));
  }
  if (!eps) return bad_key("attention.layer_norm_rms_epsilon", "is missing; the file is no complete model");
  model.norm_eps = *eps;

  // A layer needs at least one tensor: a cheap bound before anything is allocated per layer.
  if (source_ == Source::kFile && n_blocks > inventory_->tensors().size()) {
    return bad_key("block_count", fmt::format("is {}, but the file has only {} tensors", n_blocks,
                                              inventory_->tensors().size()));
  }
  CISTERN_TRY(const auto extra, find_u32("nextn_predict_layers", 0, n_blocks - 1));
  model.n_further_layers = extra.value_or(0);
  const std::uint32_t n_main = n_blocks - model.n_further_layers;
  has_mtp_ = with_mtp && model.n_further_layers > 0 &&
             has_tensor(in_layer(static_cast<int>(n_main), "nextn.eh_proj.weight"), true);
  model.layers.resize(n_main + (has_mtp_ ? 1 : 0));
  return read_vocabulary();
}

Result<void> Builder::read_vocabulary() {
  // A model on paper has a number of tokens and none of them.
  if (!is_file() && !metadata().has("tokenizer.ggml.tokens")) {
    CISTERN_TRY(model.n_vocab, require_u32("vocab_size", 1, kMaxVocab));
    return {};
  }
  CISTERN_TRY(const auto tokens, metadata().strings("tokenizer.ggml.tokens"));
  if (tokens.empty() || tokens.size() > kMaxVocab) {
    return fail(ErrorCode::kFormat, fmt::format("has {} tokens; the vocabulary is damaged", tokens.size()),
                metadata().where() + ": key 'tokenizer.ggml.tokens'");
  }
  model.n_vocab = static_cast<std::uint32_t>(tokens.size());
  return {};
}

Result<void> Builder::read_heads() {
  const std::vector<std::uint32_t> none(model.layers.size());
  CISTERN_TRY(const auto heads_read, find_per_layer("attention.head_count", kMaxDim));
  if (!heads_read) return bad_key("attention.head_count", "is missing; the file is no complete model");
  const std::vector<std::uint32_t>& heads = *heads_read;
  CISTERN_TRY(const auto kv_heads_read, find_per_layer("attention.head_count_kv", kMaxDim));
  const std::vector<std::uint32_t> kv_heads = kv_heads_read.value_or(heads);
  CISTERN_TRY(const auto hidden_read, find_per_layer("feed_forward_length", kMaxDim));
  const std::vector<std::uint32_t> hidden = hidden_read.value_or(none);
  CISTERN_TRY(const auto key_length, find_u32("attention.key_length", 1, kMaxDim));
  CISTERN_TRY(const auto value_length, find_u32("attention.value_length", 1, kMaxDim));
  CISTERN_TRY(const auto scale, find_positive("attention.scale"));

  for (std::size_t li = 0; li < model.layers.size(); ++li) {
    if (hidden[li] > 0) model.layers[li].ffn = FfnSpec{.hidden = hidden[li]};
    if (heads[li] == 0 || kv_heads[li] == 0) continue;
    if (heads[li] % kv_heads[li] != 0) {
      return bad_key("attention.head_count_kv",
                     fmt::format("{} does not divide the {} query heads", kv_heads[li], heads[li]));
    }
    if (!key_length && model.dim % heads[li] != 0) {
      return bad_key("attention.head_count",
                     fmt::format("{} does not divide embedding_length {}", heads[li], model.dim));
    }
    AttentionSpec attention{.n_heads = heads[li],
                            .n_kv_heads = kv_heads[li],
                            .head_dim = key_length.value_or(model.dim / heads[li]),
                            .value_dim = value_length.value_or(model.dim / heads[li]),
                            .kv_layer = static_cast<std::uint32_t>(li)};
    attention.scale = scale.value_or(1.0F / std::sqrt(static_cast<float>(attention.head_dim)));
    if (std::uint64_t{std::max(attention.head_dim, attention.value_dim)} * heads[li] > kMaxDim) {
      return bad_key("attention.head_count", fmt::format("{} heads of {} values are beyond any model",
                                                         heads[li], attention.head_dim));
    }
    model.layers[li].attention = attention;
  }
  return {};
}

Result<void> Builder::set_rope(RopeStyle style) {
  CISTERN_TRY(RopeSpec rope, read_rope(*this, style));
  model.ropes.push_back(std::move(rope));
  return {};
}

Result<std::uint32_t> Builder::sliding_window() const {
  CISTERN_TRY(const auto window, find_u32("attention.sliding_window", 0, kAny));
  return window.value_or(0);
}

Result<void> Builder::set_window_everywhere() {
  CISTERN_TRY(const std::uint32_t window, sliding_window());
  set_windows(window, [](std::uint32_t) { return true; });
  return {};
}

Result<void> Builder::set_window_pattern(std::uint32_t period, FullLayer full) {
  constexpr std::string_view kPattern = "attention.sliding_window_pattern";
  CISTERN_TRY(const std::uint32_t window, sliding_window());
  const file::Value* pattern = metadata().find(key(kPattern));
  if (pattern != nullptr && pattern->type == file::ValueType::kArray) {
    CISTERN_TRY(const std::vector<bool> windowed, flags_per_layer(kPattern));
    set_windows(window, [&](std::uint32_t li) { return windowed[li]; });
    return {};
  }
  CISTERN_TRY(const auto given, find_u32(kPattern, 1, kMaxLayers));
  const std::uint32_t n = given.value_or(period);
  const std::uint32_t full_at = full == FullLayer::kFirst ? 0 : n - 1;
  set_windows(window, [n, full_at](std::uint32_t li) { return li % n != full_at; });
  return {};
}

Result<void> Builder::read_pooling() {
  constexpr std::string_view kKey = "pooling_type";
  CISTERN_TRY(const auto pooling, find_u32(kKey, 0, kAny));
  if (!pooling) return {};
  if (*pooling > static_cast<std::uint32_t>(Pooling::kRank)) {
    return unsupported(kKey, fmt::format("{} is not supported; known are 0 to 4", *pooling));
  }
  model.pooling = static_cast<Pooling>(*pooling);
  return {};
}

Result<void> Builder::set_bidirectional() {
  constexpr std::string_view kKey = "attention.causal";
  CISTERN_TRY(const bool causal, flag_or(kKey, false));
  if (causal) return unsupported(kKey, fmt::format("true is not supported for '{}'", model.arch));
  for (const LayerSpec& layer : model.layers) {
    if (layer.mla || layer.mamba2 || layer.delta_net || layer.short_conv)
      return unsupported(kKey, "false is not supported for models with other blocks than plain attention");
  }
  model.causal = false;
  for_attention([](AttentionSpec& a) {
    a.mask = Mask::kSymmetric;
    if (a.window > 0) a.window = a.window / 2 + 1;
  });
  return {};
}

}  // namespace cistern::spec
