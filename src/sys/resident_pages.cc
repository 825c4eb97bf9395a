#include "sys/resident_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace cistern::sys {
namespace {

template <class R, class A, class B, class C>
C third_parameter(R (*)(A, B, C));
template <class R, class A, class B, class C>
C third_parameter(R (*)(A, B, C) noexcept);

}  // namespace

double resident_share(std::span<const std::byte> mapping) noexcept {
  constexpr std::uint64_t kSamples = 256;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t pages = mapping.size() / page;
  if (pages == 0) return 1;
  const std::uint64_t samples = std::min(pages, kSamples);
  const auto first = reinterpret_cast<std::uintptr_t>(mapping.data()) / page * page;
  std::uint64_t resident = 0;
  for (std::uint64_t i = 0; i < samples; ++i) {
    auto* const at = reinterpret_cast<std::byte*>(first + i * pages / samples * page);
    unsigned char in_memory = 1;
    // The third parameter is char* on macOS, unsigned char* on Linux.
    using Vector = decltype(third_parameter(&mincore));
    if (mincore(at, page, reinterpret_cast<Vector>(&in_memory)) != 0) return 1;
    resident += in_memory & 1U;
  }
  return static_cast<double>(resident) / static_cast<double>(samples);
}

}  // namespace cistern::sys
