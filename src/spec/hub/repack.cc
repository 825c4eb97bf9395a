#include "spec/hub/repack.h"

#include <algorithm>
#include <vector>

#include "spec/hub/quant_mix.h"

namespace cistern::spec::hub {

Result<file::Inventory> repacked(const ModelSpec& model, const file::Inventory& inventory,
                                 std::string_view quant) {
  CISTERN_TRY(const QuantMix mix, find_quant(quant));
  std::vector<TensorSpec> tensors;
  for (const TensorSpec& tensor : model.tensors)
    if (inventory.find(tensor.name) != nullptr) tensors.push_back(tensor);
  std::ranges::stable_sort(tensors, {}, &TensorSpec::layer);
  CISTERN_TRY(const std::vector<Packing> packings, pack(mix, model, tensors));
  file::Inventory other;
  other.metadata = inventory.metadata;
  other.version = inventory.version;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    file::TensorInfo info = *inventory.find(tensors[i].name);
    info.dtype = packings[i].dtype;
    info.size_bytes = packings[i].size_bytes;
    info.bytes = {};
    other.insert(info);
  }
  return other;
}

}  // namespace cistern::spec::hub
