// DeepSeek V4 (DeepSeek-AI 2026): several residual streams joined by hyper-connections (Xie et al. 2026); one
// key-value head with a sliding window and sinks, and beside the window compressed tokens, all of them or
// those that an indexer selects; a grouped output projection; experts that the first layers choose by token.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {
namespace {

constexpr std::uint32_t kMaxRatio = 1U << 12U;

Result<void> read_ropes(Builder& builder, std::uint32_t rope_dim) {
  CISTERN_TRY(const float base, builder.positive_or("rope.freq_base", 10000.0F));
  CISTERN_TRY(const float compressed_base, builder.positive_or("attention.compress_rope_freq_base", base));
  // Scaling for long contexts is for the layers that see them, and leaves sines and cosines as they are.
  builder.model.ropes.push_back(plain_rope(RopeStyle::kInterleaved, rope_dim, base));
  CISTERN_TRY(RopeSpec compressed,
              read_rope(builder, RopeStyle::kInterleaved, {.dims = rope_dim, .base = compressed_base}));
  compressed.attention_factor = 1;
  builder.model.ropes.push_back(std::move(compressed));
  return {};
}

Result<CompressedSpec> read_attention(const Builder& builder) {
  CompressedSpec a;
  CISTERN_TRY(a.n_heads, builder.require_u32("attention.head_count", 1, 1U << 12U));
  CISTERN_TRY(a.head_dim, builder.require_u32("attention.key_length", 2, 1U << 12U));
  CISTERN_TRY(a.rope_dim, builder.require_u32("rope.dimension_count", 2, a.head_dim));
  CISTERN_TRY(a.q_rank, builder.require_u32("attention.q_lora_rank", 1, kMaxDim));
  CISTERN_TRY(a.window, builder.require_u32("attention.sliding_window", 1, 1U << 20U));
  CISTERN_TRY(a.out_groups, builder.require_u32("attention.output_group_count", 1, a.n_heads));
  CISTERN_TRY(a.out_rank, builder.require_u32("attention.output_lora_rank", 1, 1U << 16U));
  if (a.n_heads % a.out_groups != 0) {
    return builder.bad_key("attention.output_group_count",
                           fmt::format("{} does not divide the {} heads", a.out_groups, a.n_heads));
  }
  a.scale = 1.0F / std::sqrt(static_cast<float>(a.head_dim));
  return a;
}

// A ratio of 4 comes with overlapping windows and an indexer.
Result<void> set_compression(const Builder& builder, CompressedSpec& a, std::uint32_t ratio) {
  constexpr std::uint32_t kIndexedRatio = 4;
  a.ratio = ratio;
  a.rope = ratio > 0 ? 1 : 0;
  if (ratio != kIndexedRatio) return {};
  a.overlap = true;
  IndexerSpec indexer;
  CISTERN_TRY(indexer.n_heads, builder.require_u32("attention.indexer.head_count", 1, 4096));
  CISTERN_TRY(indexer.key_dim, builder.require_u32("attention.indexer.key_length", a.rope_dim, 4096));
  CISTERN_TRY(indexer.top_k, builder.require_u32("attention.indexer.top_k", 1, kMaxDim));
  a.indexer = indexer;
  return {};
}

void add_compressor(Builder& builder, int li, const CompressedSpec& a) {
  const std::uint64_t dim = builder.model.dim;
  const std::uint64_t series = a.overlap ? 2 : 1;
  const auto add = [&](std::string_view part, std::uint64_t width, const CompressorRoles& roles) {
    const std::string prefix = Builder::in_layer(li, part);
    builder.add_f32(prefix + "_ape.weight", Shape(series * width, a.ratio), roles.positions, li);
    builder.add(prefix + "_norm.weight", Shape(width), roles.norm, li);
    builder.add(prefix + "_gate.weight", Shape(dim, series * width), roles.gate, li);
    builder.add(prefix + "_kv.weight", Shape(dim, series * width), roles.kv, li);
  };
  add("attn_compressor", a.head_dim, kKeyCompressor);
  if (!a.indexer) return;
  add("indexer_compressor", a.indexer->key_dim, kIndexCompressor);
  builder.add(Builder::in_layer(li, "indexer.proj.weight"), Shape(dim, a.indexer->n_heads),
              Role::kIndexWeights, li);
  builder.add(Builder::in_layer(li, "indexer.attn_q_b.weight"),
              Shape(a.q_rank, std::uint64_t{a.indexer->n_heads} * a.indexer->key_dim), Role::kIndexWq, li);
}

void add_attention(Builder& builder, int li, const CompressedSpec& a) {
  const std::uint64_t dim = builder.model.dim;
  const std::uint64_t heads_dim = std::uint64_t{a.n_heads} * a.head_dim;
  const auto add = [&](std::string_view name, Shape shape, Role role) {
    builder.add(Builder::in_layer(li, name), shape, role, li);
  };
  add("attn_norm.weight", Shape(dim), Role::kAttnNorm);
  add("attn_q_a.weight", Shape(dim, a.q_rank), Role::kWqA);
  add("attn_q_a_norm.weight", Shape(a.q_rank), Role::kQANorm);
  add("attn_q_b.weight", Shape(a.q_rank, heads_dim), Role::kWqB);
  add("attn_kv.weight", Shape(dim, a.head_dim), Role::kWkvA);
  add("attn_kv_a_norm.weight", Shape(a.head_dim), Role::kKvANorm);
  add("attn_sinks.weight", Shape(a.n_heads), Role::kSinks);
  add("attn_output_a.weight", Shape(heads_dim / a.out_groups, std::uint64_t{a.out_groups} * a.out_rank),
      Role::kWoA);
  add("attn_output_b.weight", Shape(std::uint64_t{a.out_groups} * a.out_rank, dim), Role::kWo);
  if (a.ratio > 0) add_compressor(builder, li, a);
}

void add_hyper_connection(Builder& builder, int li, const std::string& prefix, std::uint64_t rows,
                          std::uint64_t scales, const HyperRoles& roles) {
  builder.add(prefix + "_fn.weight", Shape(std::uint64_t{builder.model.dim} * builder.model.n_streams, rows),
              roles.fn, li);
  builder.add(prefix + "_base.weight", Shape(rows), roles.base, li);
  builder.add(prefix + "_scale.weight", Shape(scales), roles.scale, li);
}

// Which experts each token goes to: every number must name one.
Result<void> check_token_experts(const Builder& builder, const std::string& name, std::uint32_t n_experts) {
  const file::TensorInfo* info = builder.inventory().find(name);
  if (info == nullptr || info->dtype != DType::kI32) return {};  // said when the tensors are checked
  for (std::size_t i = 0; i + sizeof(std::int32_t) <= info->bytes.size(); i += sizeof(std::int32_t)) {
    std::int32_t expert = 0;
    std::memcpy(&expert, info->bytes.data() + i, sizeof expert);
    if (expert >= 0 && static_cast<std::uint32_t>(expert) < n_experts) continue;
    return fail(
        ErrorCode::kFormat, fmt::format("value {} is {}, but there are {} experts", i / 4, expert, n_experts),
        fmt::format("{}: tensor '{}' at byte {}", builder.metadata().where(), name, info->offset + i));
  }
  return {};
}

Result<void> set_ffn(Builder& builder) {
  CISTERN_TRY(MoeSpec moe, builder.read_experts({.gating = Gating::kSqrtSoftplus, .normalize = true}));
  const auto n_layers = static_cast<std::uint32_t>(builder.model.layers.size());
  CISTERN_TRY(const auto n_hashed, builder.find_u32("hash_layer_count", 0, n_layers));
  CISTERN_TRY(const std::vector<float> clamp, builder.floats_per_layer("swiglu_clamp_exp"));
  CISTERN_TRY(const std::vector<float> shared_clamp, builder.floats_per_layer("swiglu_clamp_shexp"));
  if (clamp != shared_clamp)
    return builder.bad_key("swiglu_clamp_shexp", "differs from swiglu_clamp_exp, which is not supported");
  for (std::uint32_t li = 0; li < n_layers; ++li) {
    FfnSpec ffn{.activation = clamp[li] > 0 ? Activation::kSiluClamped : Activation::kSilu,
                .clamp = clamp[li]};
    ffn.moe = moe;
    ffn.moe->chosen_by_token = li < n_hashed.value_or(0);
    builder.model.layers[li].ffn = ffn;
  }
  return {};
}

}  // namespace

Result<void> build_deepseek4(Builder& builder) {
  ModelSpec& model = builder.model;
  model.layer_kind = LayerKind::kHyper;
  CISTERN_TRY(const CompressedSpec attention, read_attention(builder));
  CISTERN_TRY_VOID(read_ropes(builder, attention.rope_dim));
  CISTERN_TRY(model.n_streams, builder.require_u32("hyper_connection.count", 1, 16));
  CISTERN_TRY(model.sinkhorn_iterations,
              builder.require_u32("hyper_connection.sinkhorn_iterations", 1, 1000));
  CISTERN_TRY(model.hyper_eps, builder.positive_or("hyper_connection.epsilon", 1e-6F));
  CISTERN_TRY(const auto ratios, builder.find_per_layer("attention.compress_ratios", kMaxRatio));
  if (!ratios)
    return builder.bad_key("attention.compress_ratios", "is missing; the file is no complete model");
  CISTERN_TRY_VOID(set_ffn(builder));

  builder.add_embedding_and_output();
  const std::uint64_t n = model.n_streams;
  add_hyper_connection(builder, kNoLayer, "output_hc", n, 1, kOutputHyper);
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    LayerSpec& layer = model.layers[static_cast<std::size_t>(li)];
    layer.attention.reset();
    layer.compressed = attention;
    CISTERN_TRY_VOID(set_compression(builder, *layer.compressed, (*ratios)[static_cast<std::size_t>(li)]));
    add_attention(builder, li, *layer.compressed);
    add_hyper_connection(builder, li, Builder::in_layer(li, "hc_attn"), (2 + n) * n, 3, kMixerHyper);
    add_hyper_connection(builder, li, Builder::in_layer(li, "hc_ffn"), (2 + n) * n, 3, kFfnHyper);
    if (!layer.ffn->moe->chosen_by_token) {
      builder.add(Builder::in_layer(li, "exp_probs_b.bias"), Shape(layer.ffn->moe->n_experts),
                  Role::kSelectionBias, li);
      continue;
    }
    const std::string name = Builder::in_layer(li, "ffn_gate_tid2eid.weight");
    builder.add_indices(name, Shape(layer.ffn->moe->n_used, model.n_vocab), Role::kTokenExperts, li);
    CISTERN_TRY_VOID(check_token_experts(builder, name, layer.ffn->moe->n_experts));
  }
  builder.add_ffn({});
  return {};
}

}  // namespace cistern::spec
