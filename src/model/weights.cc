#include "model/weights.h"

#include "base/check.h"

namespace cistern::model {

Result<store::Lease> WeightSet::lease(store::WeightStore& store, spec::Role role) const {
  const std::optional<store::TensorIndex>& tensor = tensors_[static_cast<std::size_t>(role)];
  if (!tensor) return store::Lease();
  return store.acquire(*tensor);
}

ModelWeights bind_weights(const spec::ModelSpec& model, const file::Inventory& inventory) {
  ModelWeights weights;
  weights.layers.resize(model.layers.size());
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    CISTERN_CHECK(info != nullptr || tensor.optional);
    if (info == nullptr) continue;
    WeightSet& set = tensor.layer == spec::kNoLayer ? weights.global
                                                    : weights.layers[static_cast<std::size_t>(tensor.layer)];
    set.set(tensor.role, static_cast<store::TensorIndex>(info - inventory.tensors().data()));
  }
  return weights;
}

}  // namespace cistern::model
