#include "store/slice_requests.h"

#include <algorithm>

#include "base/check.h"

namespace cistern::store {

std::uint64_t slice_bytes(const file::TensorInfo& info, std::uint64_t slice_rows) {
  return info.row_bytes() * slice_rows;
}

SliceRequest& SliceRequests::take(const file::TensorInfo& info, TensorIndex tensor, std::uint64_t slice_rows,
                                  std::span<const std::uint32_t> slices) {
  const std::uint64_t count = info.shape.rows() / slice_rows;
  CISTERN_CHECK(std::ranges::all_of(slices, [count](std::uint32_t i) { return i < count; }));
  if (free_.empty()) {
    all_.push_back(std::make_unique<SliceRequest>());
    free_.reserve(all_.size());  // giving back allocates nothing
    free_.push_back(all_.back().get());
  }
  SliceRequest& request = *free_.back();
  free_.pop_back();
  request.tensor = tensor;
  request.slices.assign(slices.begin(), slices.end());
  request.data.assign(slices.size(), nullptr);
  request.slots.clear();
  request.error.reset();
  request.view = {.slice = {.dtype = info.dtype,
                            .shape = Shape(info.shape.cols(), slice_rows),
                            .row_bytes = info.row_bytes()},
                  .data = request.data};
  return request;
}

}  // namespace cistern::store
