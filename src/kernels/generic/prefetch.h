// Asks for weights that will be wanted soon. A core has only some dozens of lines under way: memory is busy
// all the time only if they are asked for all the time, so half of them come with the loads (with_load) and
// half with the arithmetic (with_group). Included inside a target region after the ISA's kLanes. Not a public
// header.
#pragma once

#include <cstddef>

namespace cistern::kernels {
namespace {

constexpr std::size_t kCacheLineBytes = 64;

// The lines that begin in bytes [from, from + n_bytes) of `p`, a line beginning at p.
__attribute__((always_inline)) inline void prefetch_lines(const std::byte* p, std::size_t from,
                                                          std::size_t n_bytes) noexcept {
  const std::size_t first = (from + kCacheLineBytes - 1) / kCacheLineBytes * kCacheLineBytes;
  for (std::size_t at = first; at < from + n_bytes; at += kCacheLineBytes) __builtin_prefetch(p + at);
}

// As many bytes as kLanes rows of kBytes take, end to end.
template <std::size_t kBytes>
struct BlockAhead {
  const std::byte* at;

  // With n_bytes of each row from byte `byte` on.
  __attribute__((always_inline)) void with_load(std::size_t byte, std::size_t n_bytes) const noexcept {
    prefetch_lines(at, kLanes * byte / 2, kLanes * n_bytes / 2);
  }
  // With group `group` of kGroups.
  template <int kGroups>
  __attribute__((always_inline)) void with_group(int group) const noexcept {
    constexpr std::size_t kHalf = kLanes * kBytes / 2;
    constexpr std::size_t kPart = kHalf / kGroups;
    prefetch_lines(at, kHalf + static_cast<std::size_t>(group) * kPart, kPart);
  }
};

}  // namespace
}  // namespace cistern::kernels
