// The store of a model whose file is memory-mapped as a whole: every tensor is a view into the mapping,
// nothing is copied, and the system pages bytes in as they are read.
#pragma once

#include <memory>

#include "file/inventory.h"
#include "store/weight_store.h"

namespace cistern::store {

// `inventory` and the files behind it must outlive the store.
std::unique_ptr<WeightStore> make_mapped_store(const file::Inventory& inventory);

}  // namespace cistern::store
