// Which ranges of which files hold some tensors, as direct reads want them: begun and ended at multiples of
// sys::kReadAlignment, neighbours joined, one after the other in memory. plan/ counts their bytes before
// anything is allocated, store/ reads them; both by these functions. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "file/inventory.h"

namespace cistern::file {

struct Extent {
  std::size_t file_index = 0;
  std::uint64_t offset = 0;        // in the file
  std::uint64_t bytes = 0;         // whole pages: may reach beyond the end of the file ...
  std::uint64_t needed_bytes = 0;  // ... but so many have to be there
  std::uint64_t place = 0;         // in memory
};

// The pages that hold `bytes` bytes from an offset on, at place 0.
Extent extent_of(std::size_t file_index, std::uint64_t offset, std::uint64_t bytes);

// Most bytes that the pages of a range of this size can have, wherever it begins.
std::uint64_t largest_extent(std::uint64_t bytes);

// Tensors of an inventory that lie in memory together.
struct Layout {
  std::vector<Extent> extents;        // in the order of files and offsets
  std::vector<std::uint64_t> places;  // of the first byte of each tensor, in the order given
  std::uint64_t bytes = 0;            // of memory
};
Layout lay_out(const Inventory& inventory, std::span<const std::size_t> tensors);

}  // namespace cistern::file
