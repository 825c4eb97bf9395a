#include "model/blocks.h"

#include "ops/elementwise.h"
#include "ops/matmul.h"

namespace cistern::model {

Result<void> project(const Step& step, const WeightSet& weights, Projection projection, const TensorView& x,
                     const TensorView& out) {
  CISTERN_TRY(const store::Lease weight, weights.lease(step.store, projection.weight));
  CISTERN_TRY(const store::Lease bias, weights.lease(step.store, projection.bias));
  ops::matmul(step.exec, weight.view(), x, out, bias.view());
  return {};
}

Result<void> norm_in_place(const Step& step, const WeightSet& weights, spec::Role role, const TensorView& x) {
  if (!weights.has(role)) return {};
  CISTERN_TRY(const store::Lease norm, weights.lease(step.store, role));
  ops::rms_norm(step.exec, x, norm.view(), step.model.norm_eps, x);
  return {};
}

}  // namespace cistern::model
