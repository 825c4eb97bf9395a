#include "file/extents.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "sys/file_reader.h"

namespace cistern::file {

Extent extent_of(std::size_t file_index, std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t begin = offset / sys::kReadAlignment * sys::kReadAlignment;
  const std::uint64_t end =
      (offset + bytes + sys::kReadAlignment - 1) / sys::kReadAlignment * sys::kReadAlignment;
  return {.file_index = file_index,
          .offset = begin,
          .bytes = end - begin,
          .needed_bytes = offset + bytes - begin,
          .place = 0};
}

std::uint64_t largest_extent(std::uint64_t bytes) {
  return (bytes + 2 * sys::kReadAlignment - 2) / sys::kReadAlignment * sys::kReadAlignment;
}

Layout lay_out(const Inventory& inventory, std::span<const std::size_t> tensors) {
  const auto info_of = [&](std::size_t i) -> const TensorInfo& { return inventory.tensors()[tensors[i]]; };
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {},
                    [&](std::size_t i) { return std::tuple(info_of(i).file_index, info_of(i).offset); });

  Layout layout;
  layout.places.resize(tensors.size());
  for (const std::size_t i : order) {
    const TensorInfo& info = info_of(i);
    Extent next = extent_of(info.file_index, info.offset, info.size_bytes);
    Extent* last = layout.extents.empty() ? nullptr : &layout.extents.back();
    if (last != nullptr && last->file_index == next.file_index && next.offset <= last->offset + last->bytes) {
      const std::uint64_t end = std::max(last->offset + last->bytes, next.offset + next.bytes);
      last->needed_bytes = std::max(last->needed_bytes, next.offset + next.needed_bytes - last->offset);
      layout.bytes += end - (last->offset + last->bytes);
      last->bytes = end - last->offset;
    } else {
      next.place = layout.bytes;
      layout.bytes += next.bytes;
      last = &layout.extents.emplace_back(next);
    }
    layout.places[i] = last->place + info.offset - last->offset;
  }
  return layout;
}

}  // namespace cistern::file
