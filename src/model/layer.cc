#include "model/blocks.h"
#include "ops/elementwise.h"

namespace cistern::model {
namespace {

using spec::Role;

// The norms around a block.
struct Norms {
  Role before, before_bias;      // of its input
  Role after;                    // of its output
  Role residual, residual_bias;  // of the residual stream once the output is added
};
constexpr Norms kMixerNorms = {Role::kAttnNorm, Role::kAttnNormBias, Role::kPostAttnNorm, Role::kAttnOutNorm,
                               Role::kAttnOutNormBias};
constexpr Norms kFfnNorms = {Role::kFfnNorm, Role::kFfnNormBias, Role::kPostFfnNorm, Role::kFfnOutNorm,
                             Role::kFfnOutNormBias};

// Adds what a block left in block_out() to the residual stream.
Result<void> add_result(const Step& step, const WeightSet& weights, const Norms& norms) {
  CISTERN_TRY_VOID(norm(step, weights, norms.after, norms.before_bias, step.block_out(), step.block_out()));
  ops::add(step.exec, step.residual(), step.block_out(), step.model.residual_scale);
  return norm(step, weights, norms.residual, norms.residual_bias, step.residual(), step.residual());
}

}  // namespace

Result<void> run_layer(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::LayerSpec& layer = step.model.layers[li];
  CISTERN_TRY_VOID(
      norm(step, weights, kMixerNorms.before, kMixerNorms.before_bias, step.residual(), step.normed()));
  if (layer.attention) {
    CISTERN_TRY_VOID(attention_gqa(step, li, weights));
    CISTERN_TRY_VOID(add_result(step, weights, kMixerNorms));
  }
  if (layer.delta_net) {
    CISTERN_TRY_VOID(delta_net(step, li, weights));
    CISTERN_TRY_VOID(add_result(step, weights, kMixerNorms));
  }
  if (!layer.ffn) return {};
  if (!step.model.parallel_blocks) {
    CISTERN_TRY_VOID(
        norm(step, weights, kFfnNorms.before, kFfnNorms.before_bias, step.residual(), step.normed()));
  }
  CISTERN_TRY_VOID(layer.ffn->moe ? ffn_moe(step, *layer.ffn, weights)
                                  : ffn_dense(step, *layer.ffn, weights));
  return add_result(step, weights, kFfnNorms);
}

}  // namespace cistern::model
