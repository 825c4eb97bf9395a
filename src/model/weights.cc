#include "model/weights.h"

#include <algorithm>

#include "base/check.h"

namespace cistern::model {

Result<store::Lease> WeightSet::lease(store::WeightStore& store, spec::Role role) const {
  const std::optional<store::TensorIndex> index = tensor(role);
  return index ? store.acquire(*index) : store::Lease();
}

store::SliceLease WeightSet::begin(store::WeightStore& store, spec::Role role, std::uint64_t slice_rows,
                                   std::span<const std::uint32_t> slices) const {
  const std::optional<store::TensorIndex> index = tensor(role);
  return index ? store.begin(*index, slice_rows, slices) : store::SliceLease();
}

bool WeightSet::has_adapters(spec::Role role) const {
  return std::ranges::find(adapters_, role, &AdapterWeights::role) != adapters_.end();
}

ModelWeights bind_weights(const spec::ModelSpec& model, const file::Inventory& inventory,
                          std::span<const Adapter> adapters) {
  ModelWeights weights;
  weights.layers.resize(model.layers.size());
  const auto set_of = [&weights](int layer) -> WeightSet& {
    return layer == spec::kNoLayer ? weights.global : weights.layers[static_cast<std::size_t>(layer)];
  };
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    CISTERN_CHECK(info != nullptr || tensor.optional);
    if (info == nullptr) continue;
    set_of(tensor.layer).set(tensor.role, static_cast<store::TensorIndex>(info - inventory.tensors().data()));
  }
  for (const Adapter& adapter : adapters) {
    for (const spec::LowRankPair& pair : adapter.spec->pairs) {
      set_of(pair.layer)
          .add({.role = pair.role, .store = adapter.store, .a = pair.a, .b = pair.b, .scale = pair.scale});
    }
  }
  return weights;
}

}  // namespace cistern::model
