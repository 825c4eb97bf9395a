#include "model/adapters.h"

#include <optional>

#include "ops/low_rank.h"
#include "ops/matmul.h"

namespace cistern::model {
namespace {

// Runs f(a, b, scale, memory) for every adapter of a weight.
template <class F>
Result<void> for_adapters(const Step& step, const WeightSet& weights, spec::Role weight, const F& f) {
  for (const AdapterWeights& adapter : weights.adapters()) {
    if (adapter.role != weight) continue;
    CISTERN_TRY(const store::Lease a, adapter.store->acquire(adapter.a));
    CISTERN_TRY(const store::Lease b, adapter.store->acquire(adapter.b));
    f(a.view(), b.view(), adapter.scale, Workspace(step, step.layout.adapters, step.layout.adapter_bytes));
  }
  return {};
}

// The same with some slices of A, of slice_rows rows each or as many as the rank: f(slices of a, b, scale,
// memory).
template <class F>
Result<void> for_adapter_slices(const Step& step, const WeightSet& weights, spec::Role weight,
                                std::optional<std::uint64_t> slice_rows,
                                std::span<const std::uint32_t> slices, const F& f) {
  for (const AdapterWeights& adapter : weights.adapters()) {
    if (adapter.role != weight) continue;
    CISTERN_TRY(const store::Lease b, adapter.store->acquire(adapter.b));
    store::SliceLease a = adapter.store->begin(adapter.a, slice_rows.value_or(b.view().shape.cols()), slices);
    CISTERN_TRY_VOID(a.wait());
    f(a.view(), b.view(), adapter.scale, Workspace(step, step.layout.adapters, step.layout.adapter_bytes));
  }
  return {};
}

}  // namespace

Result<void> add_adapters(const Step& step, const WeightSet& weights, spec::Role weight, const TensorView& x,
                          const TensorView& out, Precision precision) {
  return for_adapters(step, weights, weight,
                      [&](const WeightView& a, const WeightView& b, float scale, Workspace memory) {
                        const TensorView low = memory.take(b.shape.cols(), x.shape.rows());
                        if (precision == Precision::kFloats) {
                          ops::matmul_in_floats(step.exec, a, x, low);
                        } else {
                          ops::matmul(step.exec, a, x, low);
                        }
                        ops::add_low_rank(step.exec, b, low, scale, out);
                      });
}

Result<void> add_expert_adapters(const Step& step, const WeightSet& weights, spec::Role weight,
                                 const TensorView& x, const ops::RowGroups& groups, const TensorView& out) {
  return for_adapter_slices(step, weights, weight, std::nullopt, groups.matrix,
                            [&](const WeightSlices& a, const WeightView& b, float scale, Workspace memory) {
                              const TensorView low = memory.take(b.shape.cols(), out.shape.rows());
                              ops::matmul_experts(step.exec, x, groups, {.w = a, .bias = {}, .out = low});
                              ops::add_low_rank_experts(step.exec, b, low, groups, scale, out);
                            });
}

Result<void> add_head_adapters(const Step& step, const WeightSet& weights, spec::Role weight,
                               const ops::HeadsView& x, const ops::HeadsView& out) {
  return for_adapters(
      step, weights, weight, [&](const WeightView& a, WeightView b, float scale, Workspace memory) {
        const auto rank = static_cast<std::uint32_t>(b.shape.cols());
        const TensorView rows = memory.take(std::uint64_t{rank} * x.n_heads, x.rows.shape.rows());
        const ops::HeadsView low{rows, 0, x.n_heads, rank};
        // A stack of matrices may lie in the file as one matrix.
        b.shape = Shape(rank, out.head_dim, b.shape.rows() / out.head_dim);
        ops::matmul_heads(step.exec, a, x, low);
        ops::add_low_rank_heads(step.exec, b, low, scale, out);
      });
}

Result<void> add_lookup_adapters(const Step& step, const WeightSet& weights, spec::Role table,
                                 std::span<const std::uint32_t> ids, float factor, const TensorView& out) {
  return for_adapter_slices(step, weights, table, 1, ids,
                            [&](const WeightSlices& a, const WeightView& b, float scale, Workspace memory) {
                              const TensorView low = memory.take(b.shape.cols(), ids.size());
                              ops::embed(step.exec, a, 1.0F, low);
                              ops::add_low_rank(step.exec, b, low, scale * factor, out);
                            });
}

}  // namespace cistern::model
