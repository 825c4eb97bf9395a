#include "sys/prefault.h"

#include <sys/mman.h>

namespace cistern::sys {

void prefault(std::span<const std::byte> range) noexcept {
  madvise(const_cast<std::byte*>(range.data()), range.size(), MADV_WILLNEED);
}

}  // namespace cistern::sys
