// The part of the Builder that reads mixtures of experts.
#include <fmt/format.h>

#include <array>

#include "spec/builder.h"

namespace cistern::spec {
namespace {

constexpr std::uint32_t kMaxExperts = 1U << 14U;
constexpr std::uint32_t kMaxUsed = 256;

// By the numbers of expert_gating_func.
constexpr std::array kGatings = {Gating::kSoftmax, Gating::kSigmoid, Gating::kSoftmaxOfChosen,
                                 Gating::kSqrtSoftplus};

}  // namespace

Result<MoeSpec> Builder::read_experts(const MoeSpec& usual) const {
  MoeSpec moe = usual;
  CISTERN_TRY(moe.n_experts, require_u32("expert_count", 1, kMaxExperts));
  CISTERN_TRY(moe.n_used, require_u32("expert_used_count", 1, kMaxUsed));
  if (moe.n_used > moe.n_experts) {
    return bad_key("expert_used_count",
                   fmt::format("is {}, but there are only {} experts", moe.n_used, moe.n_experts));
  }
  CISTERN_TRY(std::optional<std::uint32_t> hidden, find_u32("expert_feed_forward_length", 1, kMaxDim));
  if (!hidden) {
    CISTERN_TRY(hidden, find_u32("feed_forward_length", 1, kMaxDim));
  }
  if (!hidden) return bad_key("expert_feed_forward_length", "is missing; the file is no complete model");
  moe.hidden = *hidden;

  CISTERN_TRY(const auto gating, find_u32("expert_gating_func", 0, ~0U));
  if (gating && *gating > 0) {
    if (*gating > kGatings.size()) {
      auto error = bad_key("expert_gating_func",
                           fmt::format("{} is not supported; known are 1 to {}", *gating, kGatings.size()));
      error.error().code = ErrorCode::kUnsupported;
      return error;
    }
    moe.gating = kGatings[*gating - 1];
  }
  CISTERN_TRY(moe.normalize, flag_or("expert_weights_norm", moe.normalize));
  CISTERN_TRY(moe.scale, positive_or("expert_weights_scale", moe.scale));

  CISTERN_TRY(const auto groups, find_u32("expert_group_count", 1, moe.n_experts));
  CISTERN_TRY(const auto groups_used, find_u32("expert_group_used_count", 1, kMaxExperts));
  moe.n_groups = groups.value_or(1);
  moe.n_groups_used = moe.n_groups > 1 ? groups_used.value_or(moe.n_groups) : 1;
  const bool divides = moe.n_experts % moe.n_groups == 0 && moe.n_groups_used <= moe.n_groups;
  if (!divides || moe.n_used > moe.n_experts / moe.n_groups * moe.n_groups_used) {
    return bad_key("expert_group_count",
                   fmt::format("{} experts cannot be chosen from {} of {} groups of {} experts in all",
                               moe.n_used, moe.n_groups_used, moe.n_groups, moe.n_experts));
  }

  CISTERN_TRY(const auto shared_hidden, find_u32("expert_shared_feed_forward_length", 0, kMaxDim));
  CISTERN_TRY(const auto n_shared, find_u32("expert_shared_count", 0, kMaxUsed));
  if (shared_hidden && *shared_hidden > 0) {
    moe.shared_hidden = *shared_hidden;
  } else if (n_shared) {
    const std::uint64_t total = std::uint64_t{*n_shared} * moe.hidden;
    if (total > kMaxDim)
      return bad_key("expert_shared_count", fmt::format("is {}, beyond any model", *n_shared));
    moe.shared_hidden = static_cast<std::uint32_t>(total);
  }
  return moe;
}

Result<void> Builder::set_experts(const MoeSpec& usual) {
  CISTERN_TRY(const MoeSpec moe, read_experts(usual));
  const auto n_layers = static_cast<std::uint32_t>(model.layers.size());
  CISTERN_TRY(const auto dense, find_u32("leading_dense_block_count", 0, n_layers));
  CISTERN_TRY(const auto step, find_u32("interleave_moe_layer_step", 1, n_layers));
  for (std::uint32_t li = dense.value_or(0); li < n_layers; ++li) {
    if ((li + 1) % step.value_or(1) != 0) continue;
    FfnSpec& ffn = model.layers[li].ffn ? *model.layers[li].ffn : model.layers[li].ffn.emplace();
    ffn.moe = moe;
  }
  return {};
}

}  // namespace cistern::spec
