// Per-layer embeddings (Gemma 3n, Google 2025): each layer has an embedding of the token for itself, small
// and gated by the residual stream.
#include <cmath>
#include <numbers>

#include "model/blocks.h"
#include "model/gemma_layers.h"
#include "ops/elementwise.h"

namespace cistern::model {

using spec::Role;

Result<void> project_per_layer_inputs(const Step& step, const WeightSet& global, const TensorView& embedded) {
  const spec::ModelSpec& model = step.model;
  const TensorView inputs = step.per_layer();
  Workspace memory(step);
  const TensorView projected = memory.take(inputs.shape.cols());
  CISTERN_TRY_VOID(project(step, global, embedded, {Role::kPerLayerModelProj, projected}));
  ops::scale(step.exec, 1.0F / std::sqrt(static_cast<float>(model.dim)), projected);
  CISTERN_TRY(const store::Lease weight, global.lease(step.store, Role::kPerLayerProjNorm));
  const auto n_layers = static_cast<std::uint32_t>(model.layers.size());
  ops::rms_norm_heads(step.exec, {projected, 0, n_layers, model.per_layer_dim}, weight.view(),
                      model.norm_eps);
  ops::add(step.exec, inputs, projected);
  ops::scale(step.exec, 1.0F / std::numbers::sqrt2_v<float>, inputs);
  return {};
}

Result<void> per_layer_block(const Step& step, std::uint32_t li, const WeightSet& weights,
                             const TensorView& x) {
  Workspace memory(step);
  const TensorView gate = memory.take(step.model.per_layer_dim);
  CISTERN_TRY_VOID(project(step, weights, x, {Role::kPerLayerGate, gate}));
  ops::gate(step.exec, {.fn = ops::GateFn::kGeluTanh,
                        .gate = gate,
                        .up = step.per_layer(),
                        .up_col = std::uint64_t{li} * step.model.per_layer_dim,
                        .out = gate});
  CISTERN_TRY_VOID(project(step, weights, gate, {Role::kPerLayerProj, step.block_out()}));
  return rms_norm(step, weights, Role::kPerLayerNorm, step.block_out(), step.block_out());
}

}  // namespace cistern::model
