#include "model/blocks.h"
#include "model/gemma_layers.h"
#include "model/streams.h"
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
  switch (step.model.layer_kind) {
    case spec::LayerKind::kGemma4:
      return run_layer_gemma4(step, li, weights);
    case spec::LayerKind::kGemma3n:
      return run_layer_gemma3n(step, li, weights);
    case spec::LayerKind::kHyper:
      return run_layer_hyper(step, li, weights);
    case spec::LayerKind::kPlain:
      break;
  }
  const spec::LayerSpec& layer = step.model.layers[li];
  if (layer.mixes() || step.model.parallel_blocks) {
    CISTERN_TRY_VOID(
        norm(step, weights, kMixerNorms.before, kMixerNorms.before_bias, step.residual(), step.normed()));
  }
  const struct {
    bool present;
    Result<void> (*mix)(const Step&, std::uint32_t, const WeightSet&);
  } mixers[] = {{layer.attention.has_value(), attention_gqa},
                {layer.mla.has_value(), attention_mla},
                {layer.mamba2.has_value(), mamba2},
                {layer.delta_net.has_value(), delta_net},
                {layer.short_conv.has_value(), short_conv}};
  for (const auto& mixer : mixers) {
    if (!mixer.present) continue;
    CISTERN_TRY_VOID(mixer.mix(step, li, weights));
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
