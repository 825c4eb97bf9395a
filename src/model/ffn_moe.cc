// A mixture of experts (Shazeer et al. 2017): the router's choice, the rows sorted by expert, each chosen
// expert read once for all its rows, and the shared expert of those architectures that have one.
#include <algorithm>
#include <array>

#include "model/adapters.h"
#include "model/blocks.h"
#include "ops/elementwise.h"
#include "ops/grouped_matmul.h"
#include "ops/routing.h"

namespace cistern::model {
namespace {

using spec::Role;

ops::Gating gating_of(spec::Gating gating) {
  switch (gating) {
    case spec::Gating::kSoftmax:
      return ops::Gating::kSoftmax;
    case spec::Gating::kSigmoid:
      return ops::Gating::kSigmoid;
    case spec::Gating::kSoftmaxOfChosen:
      return ops::Gating::kSoftmaxOfChosen;
    case spec::Gating::kSqrtSoftplus:
      return ops::Gating::kSqrtSoftplus;
    case spec::Gating::kSparseMixer:
      return ops::Gating::kSparseMixer;
  }
  return ops::Gating::kSoftmax;
}

// The experts that a table names for each token.
Result<void> look_up_experts(const Step& step, const spec::MoeSpec& moe, const WeightSet& weights,
                             const ops::Choice& choice) {
  CISTERN_TRY(const store::Lease table, weights.lease(step.store, Role::kTokenExperts));
  for (const Segment& segment : step.segments) {
    ops::look_up_rows(
        table.view(), segment.ids,
        choice.experts.subspan(std::size_t{segment.first_row} * moe.n_used, segment.ids.size() * moe.n_used));
  }
  return {};
}

// Where experts have a scale, it is part of their weight.
Result<void> scale_by_expert(const Step& step, const WeightSet& weights, const ops::Choice& choice) {
  if (!weights.has(Role::kExpertsDownScale)) return {};
  CISTERN_TRY(const store::Lease scale, weights.lease(step.store, Role::kExpertsDownScale));
  for (std::size_t i = 0; i < choice.experts.size(); ++i)
    choice.weights[i] *= scale.view().f32()[choice.experts[i]];
  return {};
}

Result<ops::Choice> route(const Step& step, const spec::MoeSpec& moe, const WeightSet& weights,
                          const TensorView& x, Workspace& memory) {
  const TensorView scores = memory.take(moe.n_experts);
  const std::uint64_t rows = std::uint64_t{step.n_tokens} * moe.n_used;
  const ops::Choice choice{.experts = memory.words(rows), .weights = memory.floats(rows)};
  CISTERN_TRY(const store::Lease selection_bias, weights.lease(step.store, Role::kSelectionBias));
  CISTERN_TRY_VOID(project_in_floats(step, weights, x, {Role::kRouter, scores, Role::kRouterBias}));
  if (moe.chosen_by_token) {
    CISTERN_TRY_VOID(look_up_experts(step, moe, weights, choice));
  }
  const auto weigh = moe.chosen_by_token ? ops::weigh_experts : ops::choose_experts;
  weigh(step.exec,
        {.gating = gating_of(moe.gating),
         .n_used = moe.n_used,
         .n_groups = moe.n_groups,
         .n_groups_used = moe.n_groups_used,
         .group_best = moe.group_best,
         .normalize = moe.normalize,
         .scale = moe.scale,
         .selection_bias = selection_bias.view().f32()},
        scores, choice);
  CISTERN_TRY_VOID(scale_by_expert(step, weights, choice));
  return choice;
}

ops::SortedRows sorted_rows(Workspace& memory, std::uint64_t n_experts, std::uint64_t rows) {
  const std::span<std::uint32_t> words = memory.words(ops::SortedRows::words(n_experts, rows));
  return {.matrix = words.first(n_experts),
          .begin = words.subspan(n_experts, n_experts + 1),
          .source = words.subspan(2 * n_experts + 1, rows),
          .row_of = words.subspan(2 * n_experts + 1 + rows, rows)};
}

// The rows of `groups` times their weights, as inputs of their own: groups then point to them.
TensorView scaled_inputs(const Step& step, const ops::Choice& choice, const ops::SortedRows& sorted,
                         std::uint32_t n_used, Workspace& memory) {
  const TensorView inputs = memory.take(step.model.dim, choice.experts.size());
  for (std::size_t i = 0; i < choice.experts.size(); ++i) {
    const std::uint32_t row = sorted.row_of[i];
    const TensorView input = inputs.rows(row, 1);
    ops::scaled_copy(step.exec, choice.weights[i], step.normed().rows(i / n_used, 1), input);
    sorted.source[row] = row;
  }
  return inputs;
}

// What lies between the products of the experts, for all rows.
struct ExpertRows {
  TensorView gate, up, gated, results;
};

// Some of the chosen experts: their rows and their matrices.
struct ExpertLot {
  ops::RowGroups groups;
  store::SliceLease gate, up, down;  // `gate` has both where they are one tensor
};

// The role of the first product, whose result meets the activation.
Role gate_role(const spec::MoeSpec& moe, const WeightSet& weights) {
  if (weights.has(Role::kExpertsGateUp)) return Role::kExpertsGateUp;
  return moe.gated ? Role::kExpertsGate : Role::kExpertsUp;
}

Role gate_bias(Role gate) {
  if (gate == Role::kExpertsGateUp) return Role::kNone;
  return gate == Role::kExpertsGate ? Role::kExpertsGateBias : Role::kExpertsUpBias;
}

ExpertLot begin_lot(const Step& step, const spec::MoeSpec& moe, const WeightSet& weights,
                    const ops::RowGroups& groups) {
  const Role gate = gate_role(moe, weights);
  ExpertLot lot{.groups = groups};
  const std::uint64_t gate_rows = gate == Role::kExpertsGateUp ? 2 * std::uint64_t{moe.hidden} : moe.hidden;
  lot.gate = weights.begin(step.store, gate, gate_rows, groups.matrix);
  if (gate == Role::kExpertsGate)
    lot.up = weights.begin(step.store, Role::kExpertsUp, moe.hidden, groups.matrix);
  lot.down = weights.begin(step.store, Role::kExpertsDown, step.model.dim, groups.matrix);
  return lot;
}

// Of each row with its expert's matrix.
Result<void> project_experts(const Step& step, const WeightSet& weights, const TensorView& x,
                             const ops::RowGroups& groups, const WeightSlices& w,
                             const Projection& projection) {
  CISTERN_TRY(const store::Lease bias, weights.lease(step.store, projection.bias));
  ops::matmul_experts(step.exec, x, groups, {.w = w, .bias = bias.view(), .out = projection.out});
  return add_expert_adapters(step, weights, projection.weight, x, groups, projection.out);
}

// Gate and up in one pass over the experts.
Result<void> project_gated(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                           const TensorView& x, const ExpertLot& lot, const ExpertRows& rows) {
  CISTERN_TRY(const store::Lease gate_bias, weights.lease(step.store, Role::kExpertsGateBias));
  CISTERN_TRY(const store::Lease up_bias, weights.lease(step.store, Role::kExpertsUpBias));
  ops::matmul_gated_experts(step.exec, x, lot.groups,
                            {.gate = {.w = lot.gate.view(), .bias = gate_bias.view(), .out = rows.gate},
                             .up = {.w = lot.up.view(), .bias = up_bias.view(), .out = rows.up},
                             .fn = gate_fn(ffn.activation),
                             .limit = gate_limit(ffn),
                             .out = rows.gated});
  return {};
}

Result<void> up_projections(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                            const TensorView& x, const ExpertLot& lot, const ExpertRows& rows) {
  const Role gate = gate_role(*ffn.moe, weights);
  const bool separate = gate == Role::kExpertsGate;
  const bool adapted = weights.has_adapters(gate) || weights.has_adapters(Role::kExpertsUp);
  // An adapter comes between the products and their gate.
  if (separate && !adapted) return project_gated(step, ffn, weights, x, lot, rows);
  CISTERN_TRY_VOID(
      project_experts(step, weights, x, lot.groups, lot.gate.view(), {gate, rows.gate, gate_bias(gate)}));
  if (separate) {
    CISTERN_TRY_VOID(project_experts(step, weights, x, lot.groups, lot.up.view(),
                                     {Role::kExpertsUp, rows.up, Role::kExpertsUpBias}));
  }
  const std::uint32_t first = lot.groups.first_row(), count = lot.groups.n_rows();
  ops::GateArgs args{.fn = gate_fn(ffn.activation),
                     .gate = rows.gate.rows(first, count),
                     .limit = gate_limit(ffn),
                     .out = rows.gated.rows(first, count)};
  if (gate == Role::kExpertsGateUp) {
    args.up = args.gate;
    args.up_col = ffn.moe->hidden;
  } else if (separate) {
    args.up = rows.up.rows(first, count);
  }
  ops::gate(step.exec, args);
  return {};
}

ExpertRows expert_rows(const Step& step, const spec::MoeSpec& moe, const WeightSet& weights,
                       std::uint64_t n_rows, Workspace& memory) {
  const Role gate = gate_role(moe, weights);
  ExpertRows rows{.gated = memory.take(moe.hidden, n_rows), .results = memory.take(step.model.dim, n_rows)};
  rows.gate = memory.take(gate == Role::kExpertsGateUp ? 2 * std::uint64_t{moe.hidden} : moe.hidden, n_rows);
  if (gate == Role::kExpertsGate) rows.up = memory.take(moe.hidden, n_rows);
  return rows;
}

// The tensors of the experts, for the store.
struct ExpertTensors {
  std::array<store::TensorIndex, 3> indices{};
  std::size_t count = 0;
  std::span<const store::TensorIndex> span() const { return std::span(indices).first(count); }
};

ExpertTensors expert_tensors(const spec::MoeSpec& moe, const WeightSet& weights) {
  ExpertTensors tensors;
  const Role gate = gate_role(moe, weights);
  for (const Role role : {gate, Role::kExpertsUp, Role::kExpertsDown}) {
    if (role == Role::kExpertsUp && gate != Role::kExpertsGate) continue;
    tensors.indices[tensors.count++] = *weights.tensor(role);
  }
  return tensors;
}

Result<void> run_lot(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                     const TensorView& x, ExpertLot lot, const ops::SortedRows& sorted,
                     const ExpertRows& rows) {
  CISTERN_TRY_VOID(lot.gate.wait());
  CISTERN_TRY_VOID(lot.up.wait());
  CISTERN_TRY_VOID(up_projections(step, ffn, weights, x, lot, rows));
  // The next product's rows are sorted already: each is its own source.
  for (std::uint32_t i = lot.groups.begin.front(); i < lot.groups.begin.back(); ++i) sorted.source[i] = i;
  CISTERN_TRY_VOID(lot.down.wait());
  return project_experts(step, weights, rows.gated, lot.groups, lot.down.view(),
                         {Role::kExpertsDown, rows.results, Role::kExpertsDownBias});
}

// Tells the store which experts the next layer will probably choose: those that its router prefers for what
// the residual stream is already.
Result<void> hint_next_experts(const Step& step) {
  if (step.next_layer == nullptr || !step.store.wants_hints() || step.n_tokens > plan::kHintTokens) return {};
  const std::optional<spec::FfnSpec>& ffn = step.next_layer->ffn;
  const bool plain = step.model.layer_kind == spec::LayerKind::kPlain && !step.model.parallel_blocks;
  if (!plain || !ffn || !ffn->moe || ffn->moe->chosen_by_token) return {};
  Workspace memory(step, step.layout.hints, step.layout.hint_bytes);
  const TensorView x = memory.take(step.model.dim);
  CISTERN_TRY_VOID(norm(step, *step.next_weights, Role::kFfnNorm, Role::kFfnNormBias, step.residual(), x));
  CISTERN_TRY(const ops::Choice choice, route(step, *ffn->moe, *step.next_weights, x, memory));
  step.store.hint(expert_tensors(*ffn->moe, *step.next_weights).span(), choice.experts);
  return {};
}

// All chosen experts, in lots: while one is computed with, the next are on their way.
Result<void> run_experts(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                         const TensorView& x, const ops::RowGroups& groups, const ops::SortedRows& sorted,
                         const ExpertRows& rows) {
  const spec::MoeSpec& moe = *ffn.moe;
  const std::size_t n = groups.matrix.size();
  const std::size_t at_once = std::min(n, step.store.slices_at_once(expert_tensors(moe, weights).span()));
  std::array<ExpertLot, store::kLotsHeld> begun;  // lot i at i modulo their number
  std::size_t n_begun = 0;                        // groups
  for (std::size_t i = 0; i * at_once < n; ++i) {
    for (; n_begun < std::min(n, (i + store::kLotsHeld) * at_once); n_begun += at_once) {
      begun[n_begun / at_once % store::kLotsHeld] =
          begin_lot(step, moe, weights, groups.part(n_begun, std::min(at_once, n - n_begun)));
    }
    if (i == 0) CISTERN_TRY_VOID(hint_next_experts(step));
    CISTERN_TRY_VOID(run_lot(step, ffn, weights, x, std::move(begun[i % store::kLotsHeld]), sorted, rows));
  }
  return {};
}

// Adds the expert that every token takes.
Result<void> add_shared(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights) {
  Workspace memory(step);
  const std::uint64_t hidden = ffn.moe->shared_hidden;
  const TensorView gated = memory.take(hidden);
  ops::GateArgs args{.fn = gate_fn(ffn.activation), .limit = gate_limit(ffn), .out = gated};
  args.gate = memory.take(hidden);
  if (ffn.moe->gated) {
    args.up = memory.take(hidden);
    CISTERN_TRY_VOID(
        project(step, weights, step.normed(), {{Role::kSharedGate, args.gate}, {Role::kSharedUp, args.up}}));
  } else {
    CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kSharedUp, args.gate}));
  }
  ops::gate(step.exec, args);
  const TensorView out = memory.take(step.model.dim);
  CISTERN_TRY_VOID(project(step, weights, gated, {Role::kSharedDown, out}));
  if (weights.has(Role::kSharedRouter)) {
    const TensorView score = memory.take(1);
    CISTERN_TRY_VOID(project_in_floats(step, weights, step.normed(), {Role::kSharedRouter, score}));
    ops::scale_rows_by_sigmoid(step.exec, score, out);
  }
  ops::add(step.exec, step.block_out(), out);
  return {};
}

}  // namespace

Result<void> ffn_moe(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights,
                     const TensorView& router_input) {
  const spec::MoeSpec& moe = *ffn.moe;
  Workspace memory(step);
  CISTERN_TRY(const ops::Choice choice, route(step, moe, weights, router_input, memory));
  const std::uint64_t rows = choice.experts.size();
  const ops::SortedRows sorted = sorted_rows(memory, moe.n_experts, rows);
  const ops::RowGroups groups = ops::sort_by_expert(choice, moe.n_experts, moe.n_used, sorted);
  const TensorView x =
      moe.scale_input ? scaled_inputs(step, choice, sorted, moe.n_used, memory) : step.normed();

  const ExpertRows between = expert_rows(step, moe, weights, rows, memory);
  CISTERN_TRY_VOID(run_experts(step, ffn, weights, x, groups, sorted, between));
  const std::span<const float> output_weights = moe.scale_input ? std::span<const float>() : choice.weights;
  ops::combine_experts(step.exec, between.results, sorted.row_of, output_weights, moe.n_used,
                       step.block_out());
  return moe.shared_hidden > 0 ? add_shared(step, ffn, weights) : Result<void>();
}

Result<void> ffn_moe(const Step& step, const spec::FfnSpec& ffn, const WeightSet& weights) {
  return ffn_moe(step, ffn, weights, step.normed());
}

}  // namespace cistern::model
