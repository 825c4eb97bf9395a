// Which tensor of the file plays which part in which layer: resolved once at load from the spec, read on
// every step. Holds indices only; bytes come from the store as leases.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/model_spec.h"
#include "store/weight_store.h"

namespace cistern::model {

// The tensors of one layer, or of the model outside the layers, by role; absent ones lease an empty view.
class WeightSet {
 public:
  void set(spec::Role role, store::TensorIndex tensor) { tensors_[static_cast<std::size_t>(role)] = tensor; }
  bool has(spec::Role role) const { return tensors_[static_cast<std::size_t>(role)].has_value(); }
  Result<store::Lease> lease(store::WeightStore& store, spec::Role role) const;

 private:
  std::array<std::optional<store::TensorIndex>, spec::kRoleCount> tensors_;
};

struct ModelWeights {
  WeightSet global;
  std::vector<WeightSet> layers;
};

// REQUIRES: `model` was read from `inventory`, so every required tensor is there.
ModelWeights bind_weights(const spec::ModelSpec& model, const file::Inventory& inventory);

}  // namespace cistern::model
