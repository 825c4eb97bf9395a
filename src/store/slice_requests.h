// The requests behind the SliceLeases of a store: made when first needed, used again afterwards, so that
// a step allocates nothing once it has seen its like. Internal to store/. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "file/inventory.h"
#include "store/weight_store.h"

namespace cistern::store {

class SliceRequests {
 public:
  // A request for these slices of the tensor, whose data is yet to be set. It stays where it is.
  SliceRequest& take(const file::TensorInfo& info, TensorIndex tensor, std::uint64_t slice_rows,
                     std::span<const std::uint32_t> slices);
  void give_back(SliceRequest& request) noexcept { free_.push_back(&request); }

 private:
  std::vector<std::unique_ptr<SliceRequest>> all_;
  std::vector<SliceRequest*> free_;
};

// Bytes of each slice.
std::uint64_t slice_bytes(const file::TensorInfo& info, std::uint64_t slice_rows);

}  // namespace cistern::store
