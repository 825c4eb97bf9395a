// Gated short convolution (Liquid AI 2025): one projection gives two gates and the input of a short
// convolution; the first gate multiplies what goes into it, the second what comes out.
#include "ops/short_conv.h"

#include "model/blocks.h"

namespace cistern::model {

using spec::Role;

Result<void> short_conv(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const std::uint64_t dim = step.model.dim;
  Workspace memory(step);
  const TensorView rows = memory.take(3 * dim);
  const TensorView mixed = memory.take(dim);
  CISTERN_TRY_VOID(project(step, weights, step.normed(), {Role::kSsmIn, rows, Role::kSsmInBias}));
  CISTERN_TRY(const store::Lease kernel, weights.lease(step.store, Role::kSsmConv));
  CISTERN_TRY(const store::Lease bias, weights.lease(step.store, Role::kSsmConvBias));
  for (const Segment& segment : step.segments) {
    ops::short_conv(step.exec, {.x = rows.rows(segment.first_row, segment.n_tokens),
                                .x_col = 2 * dim,
                                .kernel = kernel.view(),
                                .bias = bias.view(),
                                .input_gate_col = 0,
                                .output_gate_col = dim,
                                .state = segment.cache.layer(li).state,
                                .out = mixed.rows(segment.first_row, segment.n_tokens)});
  }
  return project(step, weights, mixed, {Role::kSsmOut, step.block_out(), Role::kSsmOutBias});
}

}  // namespace cistern::model
