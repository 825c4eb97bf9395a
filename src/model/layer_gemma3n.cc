// A layer of Gemma 3n (Google 2025): alternating updates of several residual streams (Baykal et al. 2023).
// Each layer predicts all streams, runs its blocks on the active one alone, and corrects the others by how
// far the prediction was off. A low-rank residual goes beside attention (Menghani et al. 2024).
#include <numbers>

#include "model/blocks.h"
#include "model/gemma_layers.h"
#include "model/streams.h"
#include "ops/elementwise.h"
#include "ops/streams.h"

namespace cistern::model {
namespace {

using spec::Role;

// Streams [first, first + count) of rows that hold all.
ops::HeadsView streams_of(const Step& step, const TensorView& rows, std::uint32_t first,
                          std::uint32_t count) {
  return {rows, first * step.model.dim, count, step.model.dim};
}

ops::HeadsView all_streams(const Step& step) {
  return streams_of(step, step.residual(), 0, step.model.n_streams);
}

void copy_active(const Step& step, const TensorView& out) {
  ops::copy_heads(step.exec, streams_of(step, step.residual(), step.model.altup.active_stream, 1),
                  {out, 0, 1, step.model.dim});
}

// The coefficients (cols) that the streams are mixed with, from what the router sees in x.
Result<TensorView> mixing_coefs(const Step& step, const WeightSet& weights, const TensorView& x,
                                Role coefs_of_modalities, std::uint64_t cols, Workspace& memory) {
  const TensorView normed = memory.take(step.model.dim);
  const TensorView modalities = memory.take(step.model.n_streams);
  const TensorView coefs = memory.take(cols);
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kAltUpRouterNorm, x, normed));
  ops::scale(step.exec, 1.0F / static_cast<float>(step.model.dim), normed);
  CISTERN_TRY_VOID(project_in_floats(step, weights, normed, {Role::kAltUpRouter, modalities}));
  ops::softcap(step.exec, 1.0F, modalities);
  CISTERN_TRY_VOID(project_in_floats(step, weights, modalities, {coefs_of_modalities, coefs}));
  return coefs;
}

Result<void> predict(const Step& step, const WeightSet& weights) {
  Workspace memory(step);
  const TensorView active = memory.take(step.model.dim);
  copy_active(step, active);
  const std::uint64_t n = step.model.n_streams;
  CISTERN_TRY(const TensorView coefs,
              mixing_coefs(step, weights, active, Role::kAltUpPredict, n * n, memory));
  ops::predict_streams(step.exec, coefs, all_streams(step));
  return {};
}

// kept() holds what the active stream has become.
Result<void> correct(const Step& step, const WeightSet& weights) {
  Workspace memory(step);
  CISTERN_TRY(const TensorView coefs,
              mixing_coefs(step, weights, step.kept(), Role::kAltUpCorrect, step.model.n_streams, memory));
  ops::correct_streams(step.exec, coefs, step.kept(), step.model.altup.active_stream, all_streams(step));
  return {};
}

// kept += the low-rank residual of normed.
Result<void> add_laurel(const Step& step, const WeightSet& weights) {
  Workspace memory(step);
  const TensorView low = memory.take(step.model.altup.laurel_rank);
  CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kLaurelLeft, low}));
  CISTERN_TRY_VOID(project(step, weights, low, {Role::kLaurelRight, step.block_out()}));
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kLaurelNorm, step.block_out(), step.block_out()));
  ops::add(step.exec, step.kept(), step.block_out());
  ops::add(step.exec, step.kept(), step.normed());
  return {};
}

Result<void> add_to_kept(const Step& step, const WeightSet& weights, Role norm) {
  CISTERN_TRY_VOID(rms_norm(step, weights, norm, step.block_out(), step.block_out()));
  ops::add(step.exec, step.kept(), step.block_out());
  return {};
}

// The corrected active stream and the layer's own input give all streams but the first something more.
Result<void> add_per_layer_input(const Step& step, std::uint32_t li, const WeightSet& weights) {
  copy_active(step, step.normed());
  CISTERN_TRY(const store::Lease scale, weights.lease(step.store, Role::kAltUpScale));
  ops::scale_columns(step.exec, scale.view(), step.normed());
  CISTERN_TRY_VOID(per_layer_block(step, li, weights, step.normed()));
  ops::add_to_heads(step.exec, step.block_out(),
                    streams_of(step, step.residual(), 1, step.model.n_streams - 1));
  return {};
}

}  // namespace

Result<void> run_layer_gemma3n(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::FfnSpec& ffn = *step.model.layers[li].ffn;
  CISTERN_TRY_VOID(predict(step, weights));
  copy_active(step, step.kept());
  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kAttnNorm, step.kept(), step.normed()));
  CISTERN_TRY_VOID(add_laurel(step, weights));
  CISTERN_TRY_VOID(attention_gqa(step, li, weights));
  CISTERN_TRY_VOID(add_to_kept(step, weights, Role::kPostAttnNorm));
  ops::scale(step.exec, 1.0F / std::numbers::sqrt2_v<float>, step.kept());

  CISTERN_TRY_VOID(rms_norm(step, weights, Role::kFfnNorm, step.kept(), step.normed()));
  CISTERN_TRY_VOID(ffn_dense(step, ffn, weights));
  CISTERN_TRY_VOID(add_to_kept(step, weights, Role::kPostFfnNorm));
  CISTERN_TRY_VOID(correct(step, weights));
  return add_per_layer_input(step, li, weights);
}

Result<void> start_streams_gemma3n(const Step& step, const WeightSet& global, const TensorView& embedded) {
  const std::uint32_t others = step.model.n_streams - 1;
  Workspace memory(step);
  const TensorView projected = memory.take(std::uint64_t{others} * step.model.dim);
  const ops::HeadsView first{embedded, 0, 1, step.model.dim};
  const ops::HeadsView rest{projected, 0, others, step.model.dim};
  const ops::HeadsView same_for_each{embedded, 0, others, step.model.dim, 0};
  CISTERN_TRY_VOID(project_heads(step, global, Role::kAltUpProj, same_for_each, rest));
  ops::match_magnitude(step.exec, first, rest);
  ops::copy_heads(step.exec, first, streams_of(step, step.residual(), 0, 1));
  ops::copy_heads(step.exec, rest, streams_of(step, step.residual(), 1, others));
  return {};
}

Result<void> join_streams_gemma3n(const Step& step, const WeightSet& global, const TensorView& streams,
                                  const TensorView& out) {
  const std::uint32_t others = step.model.n_streams - 1;
  Workspace memory(step);
  const ops::HeadsView projected{memory.take(std::uint64_t{others} * step.model.dim), 0, others,
                                 step.model.dim};
  const ops::HeadsView first = streams_of(step, streams, 0, 1);
  CISTERN_TRY_VOID(
      project_heads(step, global, Role::kAltUpUnembdProj, streams_of(step, streams, 1, others), projected));
  ops::match_magnitude(step.exec, first, projected);
  ops::copy_heads(step.exec, first, {out, 0, 1, step.model.dim});
  ops::add_heads(step.exec, projected, out);
  ops::scale(step.exec, 1.0F / static_cast<float>(step.model.n_streams), out);
  return {};
}

}  // namespace cistern::model
