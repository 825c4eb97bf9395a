// Included inside a target region, after kReadVectorBytes is defined: reads of a range as kStreams streams.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/peak_table.h"

namespace cistern::kernels {
namespace {

typedef std::uint64_t ReadVector __attribute__((vector_size(kReadVectorBytes), may_alias));

template <int kStreams, bool kPrefetches>
std::uint64_t read_streams(const std::byte* data, std::size_t n_bytes, std::size_t ahead) noexcept {
  constexpr std::size_t kCacheLine = 64;
  const std::size_t stream_bytes = n_bytes / kStreams;
  ReadVector sums[4] = {};
  for (std::size_t i = 0; i < stream_bytes; i += kReadStepBytes) {
    for (int stream = 0; stream < kStreams; ++stream) {
      const std::byte* p = data + static_cast<std::size_t>(stream) * stream_bytes + i;
      if constexpr (kPrefetches) {
        for (std::size_t line = 0; line < kReadStepBytes; line += kCacheLine) {
          __builtin_prefetch(p + ahead + line);
        }
      }
      for (std::size_t j = 0; j < kReadStepBytes / kReadVectorBytes; ++j) {
        sums[j % 4] ^= reinterpret_cast<const ReadVector*>(p)[j];
      }
    }
  }
  const ReadVector sum = (sums[0] ^ sums[1]) ^ (sums[2] ^ sums[3]);
  std::uint64_t checksum = 0;
  for (std::size_t lane = 0; lane < kReadVectorBytes / sizeof(std::uint64_t); ++lane) checksum ^= sum[lane];
  return checksum;
}

template <int kStreams>
constexpr ReadLoop read_loop(sys::Isa isa, bool prefetches) {
  return {isa, kStreams, prefetches,
          prefetches ? read_streams<kStreams, true> : read_streams<kStreams, false>};
}

}  // namespace
}  // namespace cistern::kernels
