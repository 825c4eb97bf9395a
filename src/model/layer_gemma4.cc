// A layer of Gemma 4 (Google 2026): norms before and after the blocks; in the mixture, a dense block and the
// experts read the same residual stream, each with norms of its own; then the layer's own input, and a scale
// for all of it.
#include <cmath>

#include "model/blocks.h"
#include "model/gemma_layers.h"
#include "ops/elementwise.h"

namespace cistern::model {
namespace {

using spec::Role;

// block_out = dense block + experts, each normed.
Result<void> dense_and_experts(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights) {
  CISTERN_TRY_VOID(ffn_dense(step, ffn, weights));
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kDensePostNorm, step.block_out(), step.kept()));

  // The router reads the residual stream by a norm of its own.
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kRouterScale, step.residual(), step.block_out()));
  ops::scale(step.exec, 1.0F / std::sqrt(static_cast<float>(step.model.dim)), step.block_out());
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kExpertsNorm, step.residual(), step.normed()));
  CISTERN_TRY_VOID(ffn_moe(step, ffn, weights, step.block_out()));
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kExpertsPostNorm, step.block_out(), step.block_out()));
  ops::add(step.exec, step.block_out(), step.kept());
  return {};
}

Result<void> add_normed(const Step& step, const WeightSet& weights, Role norm) {
  CISTERN_TRY_VOID(rms_norm(step, weights, norm, step.block_out(), step.block_out()));
  ops::add(step.exec, step.residual(), step.block_out());
  return {};
}

}  // namespace

Result<void> run_layer_gemma4(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::FfnSpec& ffn = *step.model.layers[li].ffn;
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kAttnNorm, step.residual(), step.normed()));
  CISTERN_TRY_VOID(attention_gqa(step, li, weights));
  CISTERN_TRY_VOID(add_normed(step, weights, Role::kPostAttnNorm));

  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kFfnNorm, step.residual(), step.normed()));
  CISTERN_TRY_VOID(ffn.moe ? dense_and_experts(step, ffn, weights) : ffn_dense(step, ffn, weights));
  CISTERN_TRY_VOID(add_normed(step, weights, Role::kPostFfnNorm));

  if (step.model.per_layer_dim > 0) {
    CISTERN_TRY_VOID(per_layer_block(step, li, weights, step.residual()));
    ops::add(step.exec, step.residual(), step.block_out());
  }
  if (!weights.has(Role::kLayerScale)) return {};
  CISTERN_TRY(const store::Lease scale, weights.lease(step.store, Role::kLayerScale));
  ops::scale(step.exec, *scale.view().f32(), step.residual());
  return {};
}

}  // namespace cistern::model
