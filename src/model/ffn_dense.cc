// The feed-forward block: SwiGLU, GeGLU and their kin (Shazeer 2020) with separate or fused gate and up
// projections, or one projection and an activation.
#include "model/blocks.h"
#include "ops/elementwise.h"

namespace cistern::model {
namespace {

using spec::Role;

Result<void> gate_and_up(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                         Workspace& memory, const TensorView& gated) {
  const std::uint64_t hidden = ffn.hidden;
  ops::GateArgs args{.fn = gate_fn(ffn.activation), .limit = gate_limit(ffn), .out = gated};
  if (!ffn.gated) {
    args.gate = memory.take(hidden);
    CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kWUp, args.gate, Role::kBUp}));
  } else if (weights.has(Role::kWGateUp)) {
    args.gate = args.up = memory.take(2 * hidden);
    args.up_col = hidden;
    CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kWGateUp, args.gate}));
  } else {
    args.gate = memory.take(hidden);
    args.up = memory.take(hidden);
    CISTERN_TRY_VOID(project(step, weights, step.normed(),
                             {{Role::kWGate, args.gate, Role::kBGate}, {Role::kWUp, args.up, Role::kBUp}}));
  }
  if (ffn.sparsity) {
    ops::statistical_top_k(step.exec, *ffn.sparsity, {args.gate, 0, 1, static_cast<std::uint32_t>(hidden)});
  }
  ops::gate(step.exec, args);
  return {};
}

}  // namespace

ops::GateFn gate_fn(spec::Activation activation) {
  switch (activation) {
    case spec::Activation::kSilu:
      return ops::GateFn::kSilu;
    case spec::Activation::kGeluTanh:
      return ops::GateFn::kGeluTanh;
    case spec::Activation::kGeluErf:
      return ops::GateFn::kGeluErf;
    case spec::Activation::kReluSquared:
      return ops::GateFn::kReluSquared;
    case spec::Activation::kSwigluOai:
      return ops::GateFn::kSwigluOai;
    case spec::Activation::kSiluClamped:
      return ops::GateFn::kSiluClamped;
  }
  return ops::GateFn::kSilu;
}

float gate_limit(const spec::FfnSpec& ffn) {
  constexpr float kSwigluOaiLimit = 7.0F;
  return ffn.activation == spec::Activation::kSwigluOai ? kSwigluOaiLimit : ffn.clamp;
}

Result<void> ffn_dense(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights) {
  Workspace memory(step);
  const TensorView gated = memory.take(ffn.hidden);
  CISTERN_TRY_VOID(gate_and_up(step, ffn, weights, memory, gated));
  return project(step, weights, gated, {Role::kWDown, step.block_out(), Role::kBDown});
}

}  // namespace cistern::model
