// The gated feed-forward block (Shazeer 2020): SwiGLU or GeGLU, with separate or fused gate and up
// projections.
#include "model/blocks.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"

namespace cistern::model {
namespace {

using spec::Role;

constexpr ops::GateFn gate_fn(spec::Activation activation) {
  return activation == spec::Activation::kSilu ? ops::GateFn::kSilu : ops::GateFn::kGeluTanh;
}

// gated = activation(gate) * up, both computed from the normed residual.
Result<void> gate_and_up(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                         const TensorView& gated) {
  const std::uint64_t hidden = ffn.hidden;
  if (weights.has(Role::kWGateUp)) {
    const TensorView both = step.buffer(step.layout.gate_up, 2 * hidden);
    CISTERN_TRY(const store::Lease w_gate_up, weights.lease(step.store, Role::kWGateUp));
    ops::matmul(step.exec, w_gate_up.view(), step.normed(), both);
    ops::gate(step.exec, gate_fn(ffn.activation), both, 0, both, hidden, gated);
    return {};
  }
  const TensorView gate = step.buffer(step.layout.gate_up, hidden);
  const TensorView up = step.buffer(step.layout.gate_up + hidden * step.n_tokens * sizeof(float), hidden);
  CISTERN_TRY_VOID(project(step, weights, step.normed(),
                           {{Role::kWGate, Role::kBGate, gate}, {Role::kWUp, Role::kBUp, up}}));
  ops::gate(step.exec, gate_fn(ffn.activation), gate, 0, up, 0, gated);
  return {};
}

}  // namespace

Result<void> ffn_gated(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::FfnSpec& ffn = step.model.layers[li].ffn;
  CISTERN_TRY(const store::Lease norm, weights.lease(step.store, Role::kFfnNorm));
  ops::rms_norm(step.exec, step.residual(), norm.view(), step.model.norm_eps, step.normed());

  const TensorView gated = step.buffer(step.layout.gated, ffn.hidden);
  CISTERN_TRY_VOID(gate_and_up(step, ffn, weights, gated));
  CISTERN_TRY_VOID(project(step, weights, gated, {{Role::kWDown, Role::kBDown, step.normed()}}));
  CISTERN_TRY_VOID(norm_in_place(step, weights, Role::kPostFfnNorm, step.normed()));
  ops::add(step.exec, step.residual(), step.normed());
  return {};
}

}  // namespace cistern::model
