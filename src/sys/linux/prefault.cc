#include "sys/prefault.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace cistern::sys {

void prefault(std::span<const std::byte> range) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(range.data());
  const std::uintptr_t begin = first / page * page;
  auto* const start = const_cast<std::byte*>(range.data()) - (first - begin);
  // Since Linux 5.14; older ones answer EINVAL and the pages come when they are touched.
  madvise(start, range.size() + (first - begin), MADV_POPULATE_READ);
}

}  // namespace cistern::sys
