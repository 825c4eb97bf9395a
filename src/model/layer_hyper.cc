// A layer whose residual is several streams (Xie et al. 2026), and what begins and ends such a model.
#include "model/blocks.h"
#include "model/streams.h"
#include "ops/elementwise.h"
#include "ops/hyper_connection.h"

namespace cistern::model {
namespace {

using spec::Role;

struct Leases {
  store::Lease fn, base, scale;
};

Result<Leases> lease(const Step& step, const WeightSet& weights, const spec::HyperRoles& roles) {
  Leases leases;
  CISTERN_TRY(leases.fn, weights.lease(step.store, roles.fn));
  CISTERN_TRY(leases.base, weights.lease(step.store, roles.base));
  CISTERN_TRY(leases.scale, weights.lease(step.store, roles.scale));
  return leases;
}

ops::HyperWeights hyper_weights(const Step& step, const Leases& leases) {
  return {.fn = leases.fn.view(),
          .base = leases.base.view(),
          .scale = leases.scale.view(),
          .n_streams = step.model.n_streams,
          .iterations = step.model.sinkhorn_iterations,
          .norm_eps = step.model.norm_eps,
          .eps = step.model.hyper_eps};
}

TensorView other_streams(const Step& step) {
  return step.buffer(step.layout.streams, std::uint64_t{step.model.dim} * step.model.n_streams);
}

// Streams -> normed() -> block -> streams.
template <class Block>
Result<void> connect(const Step& step, const WeightSet& weights, const spec::HyperRoles& roles,
                     Role norm_role, const Block& block) {
  const std::uint32_t n = step.model.n_streams;
  const TensorView streams = step.residual();
  const TensorView mix = step.buffer(step.layout.hyper, std::uint64_t{2 + n} * n);
  CISTERN_TRY(const Leases leases, lease(step, weights, roles));
  ops::enter_block(step.exec, hyper_weights(step, leases), streams, other_streams(step), mix, step.normed());
  CISTERN_TRY_VOID(norm(step, weights, norm_role, norm_role, step.normed(), step.normed()));
  CISTERN_TRY_VOID(block());
  ops::leave_block(step.exec, n, mix, step.block_out(), other_streams(step), streams);
  return {};
}

}  // namespace

Result<void> run_layer_hyper(const Step& step, std::uint32_t li, const WeightSet& weights) {
  const spec::LayerSpec& layer = step.model.layers[li];
  CISTERN_TRY_VOID(connect(step, weights, spec::kMixerHyper, Role::kAttnNorm,
                           [&] { return attention_compressed(step, li, weights); }));
  return connect(step, weights, spec::kFfnHyper, Role::kFfnNorm,
                 [&] { return ffn_moe(step, *layer.ffn, weights); });
}

void start_streams_hyper(const Step& step, const TensorView& embedded) {
  const std::uint32_t dim = step.model.dim;
  for (std::uint32_t k = 0; k < step.model.n_streams; ++k)
    ops::copy_heads(step.exec, {embedded, 0, 1, dim}, {step.residual(), k * dim, 1, dim});
}

Result<void> join_streams_hyper(const Step& step, const WeightSet& global, const TensorView& streams,
                                const TensorView& out) {
  CISTERN_TRY(const Leases leases, lease(step, global, spec::kOutputHyper));
  ops::join_streams(step.exec, hyper_weights(step, leases), streams, other_streams(step),
                    step.buffer(step.layout.hyper, step.model.n_streams), out);
  return {};
}

}  // namespace cistern::model
