// Gemma 3n (Google 2025): Gemma 3's attention without a scale, alternating updates of several residual
// streams, a low-rank residual beside attention, an input of each layer's own, caches that the last layers
// share, sparse gates in the first layers.
#include <fmt/format.h>

#include <cmath>

#include "spec/gemma_parts.h"
#include "spec/registry.h"
#include "spec/rope.h"

namespace cistern::spec {
namespace {

constexpr std::uint32_t kPeriod = 5;
constexpr std::uint32_t kMaxStreams = 16;

// Minus infinity: a layer whose gates are all kept.
Result<void> set_sparsity(Builder& builder) {
  constexpr std::string_view kSparsity = "activation_sparsity_scale";
  std::vector<LayerSpec>& layers = builder.model.layers;
  CISTERN_TRY(const std::vector<float> scales, builder.metadata().floats(builder.key(kSparsity)));
  if (scales.size() != layers.size()) {
    return builder.bad_key(kSparsity,
                           fmt::format("has {} values for {} layers", scales.size(), layers.size()));
  }
  for (std::size_t li = 0; li < layers.size(); ++li) {
    if (std::isfinite(scales[li])) {
      layers[li].ffn->sparsity = scales[li];
    } else if (!(scales[li] < 0)) {
      return builder.bad_key(kSparsity, fmt::format("is {} in layer {}", scales[li], li));
    }
  }
  return {};
}

// No key says the rank; the tensors do.
Result<std::uint32_t> laurel_rank(const Builder& builder) {
  constexpr std::uint32_t kUsualRank = 64;
  const std::string name = Builder::in_layer(0, "laurel_l.weight");
  const file::TensorInfo* info = builder.inventory().find(name);
  if (info == nullptr) return kUsualRank;
  if (info->shape.rows() > kMaxDim) {
    return fail(ErrorCode::kFormat, fmt::format("has {} rows; the file is damaged", info->shape.rows()),
                fmt::format("{}: tensor '{}' at byte {}", builder.metadata().where(), name, info->offset));
  }
  return static_cast<std::uint32_t>(info->shape.rows());
}

void add_altup_tensors(Builder& builder) {
  const ModelSpec& model = builder.model;
  const std::uint64_t dim = model.dim;
  const std::uint64_t n = model.n_streams;
  const std::uint64_t rank = model.altup.laurel_rank;
  builder.add("altup_proj.weight", Shape(dim, dim, n - 1), Role::kAltUpProj);
  builder.add("altup_unembd_proj.weight", Shape(dim, dim, n - 1), Role::kAltUpUnembdProj);
  for (int li = 0; li < static_cast<int>(model.layers.size()); ++li) {
    const auto add = [&](std::string_view name, Shape shape, Role role) {
      builder.add(Builder::in_layer(li, name), shape, role, li);
    };
    add("altup_router.weight", Shape(dim, n), Role::kAltUpRouter);
    add("altup_router_norm.weight", Shape(dim), Role::kAltUpRouterNorm);
    add("altup_predict_coef.weight", Shape(n, n * n), Role::kAltUpPredict);
    add("altup_correct_coef.weight", Shape(n, n), Role::kAltUpCorrect);
    add("altup_correct_scale.weight", Shape(dim), Role::kAltUpScale);
    add("laurel_l.weight", Shape(dim, rank), Role::kLaurelLeft);
    add("laurel_r.weight", Shape(rank, dim), Role::kLaurelRight);
    add("laurel_post_norm.weight", Shape(dim), Role::kLaurelNorm);
  }
}

}  // namespace

Result<void> build_gemma3n(Builder& builder) {
  ModelSpec& model = builder.model;
  model.layer_kind = LayerKind::kGemma3n;
  CISTERN_TRY_VOID(builder.set_rope(RopeStyle::kHalfSplit));
  CISTERN_TRY(const float local_base, builder.positive_or("rope.freq_base_swa", 10000.0F));
  model.ropes.push_back(plain_rope(RopeStyle::kHalfSplit, model.ropes[0].dims, local_base));
  CISTERN_TRY_VOID(start_gemma(builder, kPeriod));
  CISTERN_TRY(model.logit_softcap, builder.positive_or("final_logit_softcapping", 30.0F));
  CISTERN_TRY(model.n_streams, builder.require_u32("altup.num_inputs", 2, kMaxStreams));
  CISTERN_TRY(model.altup.active_stream, builder.require_u32("altup.active_idx", 0, model.n_streams - 1));
  CISTERN_TRY(model.altup.laurel_rank, laurel_rank(builder));
  CISTERN_TRY_VOID(builder.require_u32("embedding_length_per_layer_input", 1, kMaxDim));
  CISTERN_TRY_VOID(builder.require_u32("attention.shared_kv_layers", 0, kMaxDim));
  CISTERN_TRY_VOID(set_sparsity(builder));
  CISTERN_TRY_VOID(share_caches(builder));
  CISTERN_TRY_VOID(add_per_layer_inputs(builder));
  builder.add_attention({.post_norm = "post_attention_norm"});
  builder.add_ffn({.post_norm = "post_ffw_norm"});
  add_altup_tensors(builder);
  return {};
}

}  // namespace cistern::spec
