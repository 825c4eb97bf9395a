#include "model/blocks.h"

#include <array>
#include <span>

#include "base/check.h"
#include "model/adapters.h"
#include "ops/elementwise.h"
#include "ops/grouped_matmul.h"
#include "ops/matmul.h"

namespace cistern::model {

namespace {

constexpr std::size_t kMostProjections = 4;

}  // namespace

Result<void> project(const Step& step, const WeightSet& weights, const TensorView& x,
                     std::initializer_list<Projection> projections) {
  CISTERN_CHECK(projections.size() <= kMostProjections);
  std::array<store::Lease, 2 * kMostProjections> leases;
  std::array<ops::Product, kMostProjections> products;
  std::size_t n = 0;
  for (const Projection& projection : projections) {
    CISTERN_TRY(leases[2 * n], weights.lease(step.store, projection.weight));
    CISTERN_TRY(leases[2 * n + 1], weights.lease(step.store, projection.bias));
    products[n] = {leases[2 * n].view(), projection.out, leases[2 * n + 1].view()};
    ++n;
  }
  ops::matmul(step.exec, x, std::span(products).first(n));
  if (weights.adapters().empty()) return {};
  for (const Projection& projection : projections)
    CISTERN_TRY_VOID(add_adapters(step, weights, projection.weight, x, projection.out));
  return {};
}

Result<void> project(const Step& step, const WeightSet& weights, const TensorView& x,
                     const Projection& projection) {
  return project(step, weights, x, std::initializer_list<Projection>{projection});
}

Result<void> project_in_floats(const Step& step, const WeightSet& weights, const TensorView& x,
                               const Projection& projection) {
  CISTERN_TRY(const store::Lease w, weights.lease(step.store, projection.weight));
  CISTERN_TRY(const store::Lease bias, weights.lease(step.store, projection.bias));
  ops::matmul_in_floats(step.exec, w.view(), x, projection.out, bias.view());
  return add_adapters(step, weights, projection.weight, x, projection.out, Precision::kFloats);
}

Result<void> project_heads(const Step& step, const WeightSet& weights, spec::Role weight,
                           const ops::HeadsView& x, const ops::HeadsView& out) {
  CISTERN_TRY(const store::Lease lease, weights.lease(step.store, weight));
  WeightView w = lease.view();
  w.shape = Shape(x.head_dim, out.head_dim, x.n_heads);  // a stack may lie in the file as one matrix
  ops::matmul_heads(step.exec, w, x, out);
  return add_head_adapters(step, weights, weight, x, out);
}

Result<void> rms_norm(const Step& step, const WeightSet& weights, spec::Role weight, const TensorView& x,
                      const TensorView& out) {
  CISTERN_TRY(const store::Lease w, weights.lease(step.store, weight));
  ops::rms_norm(step.exec, x, w.view(), step.model.norm_eps, out);
  return {};
}

Result<void> norm(const Step& step, const WeightSet& weights, spec::Role weight, spec::Role bias,
                  const TensorView& x, const TensorView& out) {
  if (!weights.has(weight)) {
    if (x.data != out.data) ops::copy(step.exec, x, out);
    return {};
  }
  CISTERN_TRY(const store::Lease w, weights.lease(step.store, weight));
  if (step.model.norm == spec::NormKind::kRms) {
    ops::rms_norm(step.exec, x, w.view(), step.model.norm_eps, out);
    return {};
  }
  CISTERN_TRY(const store::Lease b, weights.lease(step.store, bias));
  ops::layer_norm(step.exec, x, w.view(), b.view(), step.model.norm_eps, out);
  return {};
}

ops::Rotation rotation_of(const Segment& segment, const spec::RopeSpec& rope) {
  const bool use_long = segment.long_rope && !rope.inv_freq_long.empty();
  return {.inv_freq = use_long ? rope.inv_freq_long : rope.inv_freq,
          .interleaved = rope.style == spec::RopeStyle::kInterleaved,
          .factor = rope.attention_factor};
}

ops::HeadsView part_of(const ops::HeadsView& heads, const Segment& segment) {
  ops::HeadsView part = heads;
  part.rows = heads.rows.rows(segment.first_row, segment.n_tokens);
  return part;
}

}  // namespace cistern::model
