// DeepSeek V2, V3, R1 and what is built like them, as Kimi K2 and GLM-4.7-Flash (DeepSeek-AI 2024): latent
// attention, shared and routed experts. DeepSeek V3.2 (2025) and GLM-5 add sparse attention by an indexer.
#include <cmath>

#include "spec/deepseek.h"
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {
namespace {

// The published code normalises latents with this, whatever the model's epsilon.
constexpr float kLatentEps = 1e-6F;

// YaRN makes the scores larger instead of sines and cosines (Peng et al. 2023, as DeepSeek-AI use it).
Result<float> yarn_magnitude(Builder& builder) {
  CISTERN_TRY(const auto log_multiplier, builder.find_positive("rope.scaling.yarn_log_multiplier"));
  CISTERN_TRY(const float factor, builder.positive_or("rope.scaling.factor", 1.0F));
  return log_multiplier && factor > 1 ? 1.0F + *log_multiplier * std::log(factor) : 1.0F;
}

Result<void> set_indexers(Builder& builder, RopeStyle style) {
  IndexerSpec indexer{.style = style};
  CISTERN_TRY(indexer.n_heads, builder.require_u32("attention.indexer.head_count", 1, 4096));
  CISTERN_TRY(indexer.key_dim, builder.require_u32("attention.indexer.key_length", 2, 4096));
  CISTERN_TRY(indexer.top_k, builder.require_u32("attention.indexer.top_k", 1, kMaxDim));
  std::vector<bool> own(builder.model.layers.size(), true);
  if (builder.metadata().has(builder.key("attention.indexer.types"))) {
    CISTERN_TRY(own, builder.flags_per_layer("attention.indexer.types"));
    if (!own[0]) return builder.bad_key("attention.indexer.types", "the first layer has no indexer to share");
  }
  own.resize(builder.model.layers.size(), true);  // what predicts further tokens has its own
  for (std::size_t li = 0; li < own.size(); ++li) {
    MlaSpec& mla = *builder.model.layers[li].mla;
    if (mla.q_rank == 0 || indexer.key_dim < mla.rope_dim) {
      return builder.bad_key("attention.indexer.key_length",
                             "does not go with the sizes of latent attention");
    }
    mla.indexer = indexer;
    mla.indexer->shared = !own[li];
  }
  return {};
}

Result<void> start(Builder& builder) {
  CISTERN_TRY(MlaSpec mla, read_mla(builder));
  CISTERN_TRY(RopeSpec rope, read_rope(builder, RopeStyle::kInterleaved, {.dims = mla.rope_dim}));
  CISTERN_TRY(const float magnitude, yarn_magnitude(builder));
  rope.attention_factor = 1;
  builder.model.ropes.push_back(std::move(rope));
  mla.scale *= magnitude * magnitude;
  for (LayerSpec& layer : builder.model.layers) {
    layer.attention.reset();
    layer.mla = mla;
  }
  CISTERN_TRY_VOID(builder.set_experts({.gating = Gating::kSoftmax}));
  // Groups were scored by their best expert before there was a bias for the choice.
  builder.for_ffn([](FfnSpec& ffn) {
    if (ffn.moe && ffn.moe->gating == Gating::kSoftmax) ffn.moe->group_best = 1;
  });
  return {};
}

void add_tensors(Builder& builder) {
  bool selection_bias = false;
  for (std::size_t li = 0; li < builder.model.layers.size(); ++li) {
    const auto& ffn = builder.model.layers[li].ffn;
    const bool usual = ffn && ffn->moe && ffn->moe->gating == Gating::kSigmoid;
    selection_bias |= builder.has_tensor(Builder::in_layer(static_cast<int>(li), "exp_probs_b.bias"), usual);
  }
  builder.add_embedding_and_output();
  add_mla(builder);
  builder.add_ffn({.selection_bias = selection_bias});
}

}  // namespace

Result<MlaSpec> read_mla(const Builder& builder) {
  MlaSpec mla{.latent_eps = kLatentEps};
  CISTERN_TRY(mla.n_heads, builder.require_u32("attention.head_count", 1, 1U << 12U));
  CISTERN_TRY(const auto q_rank, builder.find_u32("attention.q_lora_rank", 0, kMaxDim));
  mla.q_rank = q_rank.value_or(0);
  CISTERN_TRY(mla.kv_rank, builder.require_u32("attention.kv_lora_rank", 1, 1U << 14U));
  CISTERN_TRY(mla.rope_dim, builder.require_u32("rope.dimension_count", 2, 1U << 12U));
  if (!builder.metadata().has(builder.key("attention.key_length_mla"))) {
    auto error = builder.bad_key("attention.key_length_mla",
                                 "is missing: the file is from before latent attention was kept in its "
                                 "absorbed form; use a newer conversion of the model");
    error.error().code = ErrorCode::kUnsupported;
    return error;
  }
  CISTERN_TRY(const std::uint32_t key_dim,
              builder.require_u32("attention.key_length_mla", mla.rope_dim + 1, 1U << 12U));
  CISTERN_TRY(mla.value_dim, builder.require_u32("attention.value_length_mla", 1, 1U << 12U));
  mla.nope_dim = key_dim - mla.rope_dim;
  mla.scale = 1.0F / std::sqrt(static_cast<float>(key_dim));
  return mla;
}

void add_mla(Builder& builder) {
  const std::uint64_t dim = builder.model.dim;
  for (int li = 0; li < static_cast<int>(builder.model.layers.size()); ++li) {
    if (!builder.model.layers[static_cast<std::size_t>(li)].mla) continue;
    const MlaSpec& m = *builder.model.layers[static_cast<std::size_t>(li)].mla;
    const auto add = [&](std::string_view name, Shape shape, Role role) {
      builder.add(Builder::in_layer(li, name), shape, role, li);
    };
    const std::uint64_t q_rows = std::uint64_t{m.n_heads} * (m.nope_dim + m.rope_dim);
    add("attn_norm.weight", Shape(dim), Role::kAttnNorm);
    if (m.q_rank > 0) {
      add("attn_q_a.weight", Shape(dim, m.q_rank), Role::kWqA);
      add("attn_q_a_norm.weight", Shape(m.q_rank), Role::kQANorm);
      add("attn_q_b.weight", Shape(m.q_rank, q_rows), Role::kWqB);
    } else {
      add("attn_q.weight", Shape(dim, q_rows), Role::kWq);
    }
    add("attn_kv_a_mqa.weight", Shape(dim, m.key_dim()), Role::kWkvA);
    add("attn_kv_a_norm.weight", Shape(m.kv_rank), Role::kKvANorm);
    add("attn_k_b.weight", Shape(m.nope_dim, m.kv_rank, m.n_heads), Role::kWkB);
    add("attn_v_b.weight", Shape(m.kv_rank, m.value_dim, m.n_heads), Role::kWvB);
    add("attn_output.weight", Shape(std::uint64_t{m.n_heads} * m.value_dim, dim), Role::kWo);
    if (!m.indexer || m.indexer->shared) continue;
    const IndexerSpec& index = *m.indexer;
    add("indexer.attn_k.weight", Shape(dim, index.key_dim), Role::kIndexWk);
    add("indexer.k_norm.weight", Shape(index.key_dim), Role::kIndexKNorm);
    add("indexer.k_norm.bias", Shape(index.key_dim), Role::kIndexKNormBias);
    add("indexer.attn_q_b.weight", Shape(m.q_rank, std::uint64_t{index.n_heads} * index.key_dim),
        Role::kIndexWq);
    add("indexer.proj.weight", Shape(dim, index.n_heads), Role::kIndexWeights);
  }
}

Result<void> build_deepseek2(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  add_tensors(builder);
  return {};
}

Result<void> build_deepseek32(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(set_indexers(builder, RopeStyle::kHalfSplit));
  add_tensors(builder);
  return {};
}

Result<void> build_glm_dsa(Builder& builder) {
  CISTERN_TRY_VOID(start(builder));
  CISTERN_TRY_VOID(set_indexers(builder, RopeStyle::kInterleaved));
  add_tensors(builder);
  return {};
}

}  // namespace cistern::spec
