#include "store/row_reads.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace cistern::store {

RowReads::RowReads(const file::Inventory& inventory, const file::Placement& placement, Reads& reads,
                   std::span<std::byte> memory, std::span<const std::string> paths)
    : inventory_(inventory),
      tables_(placement.looked_up),
      most_rows_(placement.lookup_tokens),
      reads_(reads),
      memory_(memory),
      paths_(paths) {}

bool RowReads::has(TensorIndex tensor) const {
  return std::ranges::find(tables_, tensor) != tables_.end();
}

void RowReads::begin(SliceRequest& request) {
  CISTERN_CHECK(request.slices.size() <= most_rows_);
  // What a request before left behind when it gave up.
  if (const auto idle = reads_.wait([&] { return unfinished_ == 0; }, [&] { return where(request); });
      !idle) {
    request.error = idle.error();
    return;
  }
  error_.reset();
  const file::TensorInfo& info = inventory_.tensors()[request.tensor];
  const std::uint64_t bytes = request.view.slice.row_bytes;
  const std::uint64_t room = file::largest_extent(bytes);
  for (std::size_t i = 0; i < request.slices.size(); ++i) {
    const std::uint64_t offset = info.offset + request.slices[i] * bytes;
    const file::Extent extent = file::extent_of(info.file_index, offset, bytes);
    std::byte* memory = memory_.data() + i * room;
    request.data[i] = memory + (offset - extent.offset);
    ++unfinished_;
    reads_.submit(*this, i, extent, memory);
  }
}

Result<void> RowReads::wait(const SliceRequest& request) {
  if (request.error) return std::unexpected(*request.error);
  CISTERN_TRY_VOID(reads_.wait([&] { return unfinished_ == 0; }, [&] { return where(request); }));
  if (error_) return std::unexpected(*error_);
  return {};
}

void RowReads::read_done(std::uint64_t /*tag*/, std::optional<Error> error) {
  --unfinished_;
  if (error) error_ = std::move(error);
}

std::string RowReads::where(const SliceRequest& request) const {
  const file::TensorInfo& info = inventory_.tensors()[request.tensor];
  return fmt::format("{}: tensor '{}' at byte {}", paths_[info.file_index], info.name, info.offset);
}

}  // namespace cistern::store
