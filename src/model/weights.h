// Which tensor of the file plays which part in which layer: resolved once at load from the spec, read on
// every step. Holds indices only; bytes come from the store as leases.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "spec/adapter.h"
#include "spec/model_spec.h"
#include "store/weight_store.h"

namespace cistern::model {

// A low-rank pair of an adapter file, for the tensor of this role.
struct AdapterWeights {
  spec::Role role;
  store::WeightStore* store;  // of the adapter's file
  store::TensorIndex a, b;
  float scale;
};

// The tensors of one layer, or of the model outside the layers, by role; absent ones lease an empty view.
class WeightSet {
 public:
  void set(spec::Role role, store::TensorIndex tensor) { tensors_[static_cast<std::size_t>(role)] = tensor; }
  bool has(spec::Role role) const { return tensors_[static_cast<std::size_t>(role)].has_value(); }
  Result<store::Lease> lease(store::WeightStore& store, spec::Role role) const;
  // Slices of slice_rows rows each; none where the tensor is absent.
  store::SliceLease begin(store::WeightStore& store, spec::Role role, std::uint64_t slice_rows,
                          std::span<const std::uint32_t> slices) const;
  std::optional<store::TensorIndex> tensor(spec::Role role) const {
    return tensors_[static_cast<std::size_t>(role)];
  }

  void add(const AdapterWeights& adapter) { adapters_.push_back(adapter); }
  std::span<const AdapterWeights> adapters() const { return adapters_; }  // in the order of their files
  bool has_adapters(spec::Role role) const;

 private:
  std::array<std::optional<store::TensorIndex>, spec::kRoleCount> tensors_;
  std::vector<AdapterWeights> adapters_;
};

struct ModelWeights {
  WeightSet global;
  std::vector<WeightSet> layers;
};

// An adapter's pairs and where their bytes are.
struct Adapter {
  const spec::AdapterSpec* spec = nullptr;
  store::WeightStore* store = nullptr;
};

// REQUIRES: `model` was read from `inventory`, so every required tensor is there; the adapters are for it.
ModelWeights bind_weights(const spec::ModelSpec& model, const file::Inventory& inventory,
                          std::span<const Adapter> adapters);

}  // namespace cistern::model
