// The part of the Builder that lists tensors.
#include <fmt/format.h>

#include "spec/builder.h"

namespace cistern::spec {

void Builder::add(std::string name, Shape shape, Role role, int layer, bool optional) {
  model.tensors.push_back({.name = std::move(name),
                           .shape = shape,
                           .role = role,
                           .layer = layer,
                           .optional = optional,
                           .is_f32 = shape.rows() == 1});
}

void Builder::add_f32(std::string name, Shape shape, Role role, int layer, bool optional) {
  add(std::move(name), shape, role, layer, optional);
  model.tensors.back().is_f32 = true;
}

void Builder::add_indices(std::string name, Shape shape, Role role, int layer) {
  add(std::move(name), shape, role, layer);
  model.tensors.back().is_f32 = false;
  model.tensors.back().is_index = true;
}

std::string Builder::in_layer(int layer, std::string_view name) {
  return fmt::format("blk.{}.{}", layer, name);
}

void Builder::add_norm(int layer, std::string_view name, std::uint64_t size, Role weight, Role bias) {
  const std::string full = layer == kNoLayer ? std::string(name) : in_layer(layer, name);
  add(full + ".weight", Shape(size), weight, layer);
  if (model.norm == NormKind::kLayer) add(full + ".bias", Shape(size), bias, layer, true);
}

void Builder::find_qk_norm(HeadNorm kind) {
  if (!has_tensor("blk.0.attn_q_norm.weight", false)) return;
  for_attention([kind](AttentionSpec& a) { a.qk_norm = kind; });
}

void Builder::add_embedding_and_output() {
  add("token_embd.weight", Shape(model.dim, model.n_vocab), Role::kTokenEmbedding);
  add_norm(kNoLayer, "output_norm", model.dim, Role::kOutputNorm, Role::kOutputNormBias);
  add_output();
}

void Builder::add_output() {
  add("output.weight", Shape(model.dim, model.n_vocab), Role::kOutput, kNoLayer, true);
  add("output.bias", Shape(model.n_vocab), Role::kOutputBias, kNoLayer, true);
  model.tied_output = inventory_->find("output.weight") == nullptr;
}

void Builder::add_qkv(int layer, const AttentionTensors& options) {
  const AttentionSpec& a = *model.layers[static_cast<std::size_t>(layer)].attention;
  const std::string prefix = in_layer(layer, "attn_");
  const std::uint64_t q_rows = std::uint64_t{a.n_heads} * a.head_dim * (a.gated ? 2 : 1);
  const std::uint64_t k_rows = std::uint64_t{a.n_kv_heads} * a.head_dim;
  const std::uint64_t v_rows = std::uint64_t{a.n_kv_heads} * a.value_dim;
  const bool bias_optional = !options.qkv_bias;
  if (has_tensor(prefix + "qkv.weight", options.fused_qkv)) {
    add(prefix + "qkv.weight", Shape(model.dim, q_rows + k_rows + v_rows), Role::kWqkv, layer);
    add(prefix + "qkv.bias", Shape(q_rows + k_rows + v_rows), Role::kBqkv, layer, bias_optional);
    return;
  }
  // A layer that reads another's keys may still come with weights for its own.
  const bool shares = a.kv_layer != static_cast<std::uint32_t>(layer);
  add(prefix + "q.weight", Shape(model.dim, q_rows), Role::kWq, layer);
  add(prefix + "k.weight", Shape(model.dim, k_rows), Role::kWk, layer, shares);
  add(prefix + "v.weight", Shape(model.dim, v_rows), Role::kWv, layer, shares || options.optional_values);
  add(prefix + "q.bias", Shape(q_rows), Role::kBq, layer, bias_optional);
  add(prefix + "k.bias", Shape(k_rows), Role::kBk, layer, bias_optional);
  add(prefix + "v.bias", Shape(v_rows), Role::kBv, layer, bias_optional);
}

void Builder::add_attention(const AttentionTensors& options) {
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    if (!model.layers[static_cast<std::size_t>(li)].attention) continue;
    const AttentionSpec& a = *model.layers[static_cast<std::size_t>(li)].attention;
    if (!options.norm.empty()) add_norm(li, options.norm, model.dim, Role::kAttnNorm, Role::kAttnNormBias);
    add_qkv(li, options);
    if (a.qk_norm == HeadNorm::kHeads || a.qk_norm == HeadNorm::kRow) {
      const bool row = a.qk_norm == HeadNorm::kRow;
      const std::uint64_t q_size = row ? std::uint64_t{a.n_heads} * a.head_dim : a.head_dim;
      const std::uint64_t k_size = row ? std::uint64_t{a.n_kv_heads} * a.head_dim : a.head_dim;
      const bool shares = a.kv_layer != static_cast<std::uint32_t>(li);
      add(in_layer(li, "attn_q_norm.weight"), Shape(q_size), Role::kQNorm, li);
      add(in_layer(li, "attn_k_norm.weight"), Shape(k_size), Role::kKNorm, li, shares);
    }
    if (a.qk_norm == HeadNorm::kLayerHeads) {
      add_f32(in_layer(li, "attn_q_norm.weight"), Shape(a.head_dim, a.n_heads), Role::kQNorm, li);
      add_f32(in_layer(li, "attn_k_norm.weight"), Shape(a.head_dim, a.n_kv_heads), Role::kKNorm, li);
    }
    if (options.sinks) add(in_layer(li, "attn_sinks.weight"), Shape(a.n_heads), Role::kSinks, li, true);
    add(in_layer(li, "attn_output.weight"), Shape(std::uint64_t{a.n_heads} * a.value_dim, model.dim),
        Role::kWo, li);
    add(in_layer(li, "attn_output.bias"), Shape(model.dim), Role::kBo, li, true);
    if (!options.post_norm.empty())
      add(in_layer(li, options.post_norm) + ".weight", Shape(model.dim), Role::kPostAttnNorm, li);
    if (!options.out_norm.empty())
      add_norm(li, options.out_norm, model.dim, Role::kAttnOutNorm, Role::kAttnOutNormBias);
  }
}

void Builder::add_experts(int layer, const MoeSpec& moe, const FfnTensors& options) {
  const auto name = [layer](std::string_view part) { return in_layer(layer, part); };
  const std::uint64_t n = moe.n_experts;
  const std::uint64_t width = moe.latent_dim > 0 ? moe.latent_dim : model.dim;  // of what experts read
  add(name("ffn_gate_inp.weight"), Shape(model.dim, n), Role::kRouter, layer);
  add(name("ffn_gate_inp.bias"), Shape(n), Role::kRouterBias, layer, !options.expert_bias);
  if (options.selection_bias) add(name("exp_probs_b.bias"), Shape(n), Role::kSelectionBias, layer);
  if (moe.gated && has_tensor(name("ffn_gate_up_exps.weight"), options.fused_experts)) {
    add(name("ffn_gate_up_exps.weight"), Shape(width, std::uint64_t{2} * moe.hidden, n), Role::kExpertsGateUp,
        layer);
  } else {
    if (moe.gated) add(name("ffn_gate_exps.weight"), Shape(width, moe.hidden, n), Role::kExpertsGate, layer);
    add(name("ffn_up_exps.weight"), Shape(width, moe.hidden, n), Role::kExpertsUp, layer);
  }
  add(name("ffn_down_exps.weight"), Shape(moe.hidden, width, n), Role::kExpertsDown, layer);
  if (moe.latent_dim > 0) {
    add(name("ffn_latent_down.weight"), Shape(model.dim, width), Role::kLatentDown, layer);
    add(name("ffn_latent_up.weight"), Shape(width, model.dim), Role::kLatentUp, layer);
  }
  if (options.expert_bias) {
    add_f32(name("ffn_gate_exps.bias"), Shape(moe.hidden, n), Role::kExpertsGateBias, layer);
    add_f32(name("ffn_up_exps.bias"), Shape(moe.hidden, n), Role::kExpertsUpBias, layer);
    add_f32(name("ffn_down_exps.bias"), Shape(model.dim, n), Role::kExpertsDownBias, layer);
  }
  if (moe.shared_hidden == 0) return;
  if (options.shared_router)
    add(name("ffn_gate_inp_shexp.weight"), Shape(model.dim), Role::kSharedRouter, layer);
  if (moe.gated)
    add(name("ffn_gate_shexp.weight"), Shape(model.dim, moe.shared_hidden), Role::kSharedGate, layer);
  add(name("ffn_up_shexp.weight"), Shape(model.dim, moe.shared_hidden), Role::kSharedUp, layer);
  add(name("ffn_down_shexp.weight"), Shape(moe.shared_hidden, model.dim), Role::kSharedDown, layer);
}

void Builder::add_ffn(const FfnTensors& options) {
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    if (!model.layers[static_cast<std::size_t>(li)].ffn) continue;
    const FfnSpec& ffn = *model.layers[static_cast<std::size_t>(li)].ffn;
    const std::uint64_t hidden = ffn.hidden;
    const std::string prefix = in_layer(li, "ffn_");
    if (!options.norm.empty()) add_norm(li, options.norm, model.dim, Role::kFfnNorm, Role::kFfnNormBias);
    if (!options.post_norm.empty())
      add(in_layer(li, options.post_norm) + ".weight", Shape(model.dim), Role::kPostFfnNorm, li);
    if (!options.out_norm.empty())
      add_norm(li, options.out_norm, model.dim, Role::kFfnOutNorm, Role::kFfnOutNormBias);
    if (ffn.moe) {
      add_experts(li, *ffn.moe, options);
      if (!ffn.moe->beside_dense) continue;
    }
    if (ffn.gated && options.fused_gate_up) {
      add(prefix + "up.weight", Shape(model.dim, 2 * hidden), Role::kWGateUp, li);
    } else {
      if (ffn.gated) {
        add(prefix + "gate.weight", Shape(model.dim, hidden), Role::kWGate, li);
        add(prefix + "gate.bias", Shape(hidden), Role::kBGate, li, true);
      }
      add(prefix + "up.weight", Shape(model.dim, hidden), Role::kWUp, li);
      add(prefix + "up.bias", Shape(hidden), Role::kBUp, li, true);
    }
    add(prefix + "down.weight", Shape(hidden, model.dim), Role::kWDown, li);
    add(prefix + "down.bias", Shape(model.dim), Role::kBDown, li, true);
  }
}

}  // namespace cistern::spec
