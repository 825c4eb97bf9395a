#include "model/mtp.h"

#include "base/check.h"
#include "model/blocks.h"
#include "ops/elementwise.h"

namespace cistern::model {

using spec::Role;

Result<void> join_hidden(const Step& step, const WeightSet& global) {
  CISTERN_CHECK(step.segments.size() == 1);
  const TensorView& hidden = step.segments[0].hidden;
  const std::uint32_t dim = step.model.dim;
  CISTERN_CHECK(hidden.shape == Shape(dim, step.n_tokens));
  Workspace memory(step);
  const TensorView pairs = memory.take(std::uint64_t{2} * dim);
  const auto put = [&](Role weight, const TensorView& x, std::uint32_t first_col) -> Result<void> {
    CISTERN_TRY_VOID(rms_norm(step, global, weight, x, step.normed()));
    ops::copy_heads(step.exec, {step.normed(), 0, 1, dim}, {pairs, first_col, 1, dim});
    return {};
  };
  CISTERN_TRY_VOID(put(Role::kMtpTokenNorm, step.residual(), 0));
  CISTERN_TRY_VOID(put(Role::kMtpHiddenNorm, hidden, dim));
  return project(step, global, pairs, {Role::kMtpProj, step.residual()});
}

}  // namespace cistern::model
