#include "sys/huge_pages.h"

#include <sys/mman.h>

namespace cistern::sys {

void advise_huge_pages(std::span<std::byte> range) noexcept {
  constexpr std::size_t kWorthwhileBytes = std::size_t{4} << 20U;  // two huge pages
  if (range.size() >= kWorthwhileBytes) madvise(range.data(), range.size(), MADV_HUGEPAGE);
}

}  // namespace cistern::sys
