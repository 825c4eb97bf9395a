#include "spec/gemma_parts.h"

#include <fmt/format.h>

#include <cmath>

namespace cistern::spec {

Result<void> start_gemma(Builder& builder, std::uint32_t period) {
  ModelSpec& model = builder.model;
  for (const LayerSpec& layer : model.layers) {
    if (!layer.attention) return builder.bad_key("attention.head_count", "is 0 in some layer");
    if (!layer.ffn) return builder.bad_key("feed_forward_length", "is missing or 0 in some layer");
  }
  model.embedding_scale = std::sqrt(static_cast<float>(model.dim));
  builder.for_ffn([](FfnSpec& ffn) { ffn.activation = Activation::kGeluTanh; });
  CISTERN_TRY_VOID(builder.require_u32("attention.sliding_window", 1, ~0U));
  CISTERN_TRY_VOID(builder.set_window_pattern(period));
  builder.for_attention([](AttentionSpec& a) {
    a.scale = 1.0F;
    a.qk_norm = HeadNorm::kHeads;
    a.values_normed = true;
    a.rope = a.window > 0 ? 1 : 0;
  });
  builder.add_embedding_and_output();
  return {};
}

Result<void> share_caches(Builder& builder) {
  constexpr std::string_view kShared = "attention.shared_kv_layers";
  std::vector<LayerSpec>& layers = builder.model.layers;
  const auto n_layers = static_cast<std::uint32_t>(layers.size());
  CISTERN_TRY(const auto shared, builder.find_u32(kShared, 0, n_layers - 1));
  const std::uint32_t first = n_layers - shared.value_or(0);
  for (std::uint32_t li = first; li < n_layers; ++li) {
    AttentionSpec& reader = *layers[li].attention;
    std::uint32_t owner = first;
    while (owner > 0 && layers[owner - 1].attention->window != reader.window) --owner;
    if (owner == 0) {
      return builder.bad_key(kShared,
                             fmt::format("is {}, but no earlier layer sees what layer {} sees", *shared, li));
    }
    const AttentionSpec& kept = *layers[--owner].attention;
    if (kept.n_kv_heads != reader.n_kv_heads || kept.head_dim != reader.head_dim ||
        kept.value_dim != reader.value_dim) {
      return builder.bad_key(
          kShared, fmt::format("is {}, but layers {} and {} have different keys", *shared, owner, li));
    }
    reader.kv_layer = owner;
  }
  return {};
}

Result<void> add_per_layer_inputs(Builder& builder) {
  ModelSpec& model = builder.model;
  const auto n_layers = static_cast<int>(model.layers.size());
  CISTERN_TRY(const auto dim, builder.find_u32("embedding_length_per_layer_input", 0,
                                               kMaxDim / static_cast<std::uint32_t>(n_layers)));
  model.per_layer_dim = dim.value_or(0);
  if (model.per_layer_dim == 0) return {};
  const std::uint64_t all = std::uint64_t{model.per_layer_dim} * model.layers.size();
  builder.add("per_layer_token_embd.weight", Shape(all, model.n_vocab), Role::kPerLayerEmbedding);
  builder.add("per_layer_model_proj.weight", Shape(model.dim, all), Role::kPerLayerModelProj);
  builder.add("per_layer_proj_norm.weight", Shape(model.per_layer_dim), Role::kPerLayerProjNorm);
  for (int li = 0; li < n_layers; ++li) {
    const auto add = [&](std::string_view name, Shape shape, Role role) {
      builder.add(Builder::in_layer(li, name), shape, role, li);
    };
    add("inp_gate.weight", Shape(model.dim, model.per_layer_dim), Role::kPerLayerGate);
    add("proj.weight", Shape(model.per_layer_dim, model.dim), Role::kPerLayerProj);
    add("post_norm.weight", Shape(model.dim), Role::kPerLayerNorm);
  }
  return {};
}

}  // namespace cistern::spec
