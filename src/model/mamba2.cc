// Mamba 2 (Dao & Gu 2024): one projection gives gate, input, B, C and time steps; a short convolution, the
// state space, the gate, and where the layer has one a norm of each group of heads.
#include "ops/mamba2.h"

#include "model/blocks.h"
#include "ops/elementwise.h"
#include "ops/short_conv.h"

namespace cistern::model {
namespace {

using spec::Role;

// The small tables of a layer.
struct Tables {
  store::Lease conv, conv_bias, dt_bias, a, d;
};

Result<Tables> lease_tables(const Step& step, const WeightSet& weights) {
  Tables tables;
  CISTERN_TRY(tables.conv, weights.lease(step.store, Role::kSsmConv));
  CISTERN_TRY(tables.conv_bias, weights.lease(step.store, Role::kSsmConvBias));
  CISTERN_TRY(tables.dt_bias, weights.lease(step.store, Role::kSsmDtBias));
  CISTERN_TRY(tables.a, weights.lease(step.store, Role::kSsmA));
  CISTERN_TRY(tables.d, weights.lease(step.store, Role::kSsmD));
  return tables;
}

// One sequence's rows through the convolution, in place, and the state space.
void scan(const Step& step, const spec::Mamba2Spec& m, const Tables& tables, const TensorView& rows,
          std::span<float> state, const TensorView& out) {
  const std::uint32_t inner = m.inner_dim();
  const std::uint32_t group_cols = m.n_groups * m.state_dim;
  ops::short_conv(step.exec, {.x = rows,
                              .x_col = inner,
                              .kernel = tables.conv.view(),
                              .bias = tables.conv_bias.view(),
                              .silu = true,
                              .state = state.first(m.conv_floats()),
                              .out = rows,
                              .out_col = inner});
  ops::state_space(step.exec, {.x = {rows, inner, m.n_heads, m.head_dim},
                               .b = {rows, 2 * inner, m.n_groups, m.state_dim},
                               .c = {rows, 2 * inner + group_cols, m.n_groups, m.state_dim},
                               .dt = {rows, inner + m.conv_dim(), m.n_heads, 1},
                               .dt_bias = tables.dt_bias.view(),
                               .a = tables.a.view(),
                               .d = tables.d.view(),
                               .state = state.subspan(m.conv_floats()),
                               .out = out});
}

}  // namespace

Result<void> mamba2(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::Mamba2Spec& m = *step.model.layers[li].mamba2;
  Workspace memory(step);
  const TensorView rows = memory.take(m.projected_dim());
  const TensorView y = memory.take(m.inner_dim());
  CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kSsmIn, rows, Role::kSsmInBias}));
  CISTERN_TRY(const Tables tables, lease_tables(step, weights));
  for (const Segment& segment : step.segments) {
    scan(step, m, tables, rows.rows(segment.first_row, segment.n_tokens), segment.cache.layer(li).state,
         y.rows(segment.first_row, segment.n_tokens));
  }
  ops::gate(step.exec, {.fn = ops::GateFn::kSilu, .gate = rows, .up = y, .out = y});
  if (weights.has(Role::kSsmNorm)) {
    CISTERN_TRY(const store::Lease weight, weights.lease(step.store, Role::kSsmNorm));
    ops::rms_norm_heads(step.exec, {y, 0, m.n_groups, m.inner_dim() / m.n_groups}, weight.view(),
                        step.model.norm_eps);
  }
  return project(step, weights, y, {Role::kSsmOut, step.block_out(), Role::kSsmOutBias});
}

}  // namespace cistern::model
