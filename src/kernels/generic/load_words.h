// Loads rows of bytes as words, a row per lane, over the ISA's transpose_16_bytes. Included by the ISA's
// lanes.h, which may overload load_words for its U32. Not a public header.
#pragma once

#include <cstddef>

namespace cistern::kernels {
namespace {

constexpr std::size_t kStepBytes = 16;  // of a row, loaded at once
constexpr std::size_t kCacheLineBytes = 64;

// Prefetches what belongs to n_bytes from `at` on of a read that takes kLanes bytes for every byte of a row.
inline void prefetch_part(const std::byte* ahead, std::size_t at, std::size_t n_bytes) noexcept {
  for (std::size_t line = 0; line < kLanes * n_bytes; line += kCacheLineBytes) {
    __builtin_prefetch(ahead + kLanes * at + line);
  }
}

// The rows' first n_bytes (at least 16, or as many readable ones before them) as words: lane r of words[i] is
// the little-endian word at byte 4 * i of row r; bytes left over are the low ones of a last word.
template <class Vector>
__attribute__((always_inline)) inline void load_words(const std::byte* rows, std::size_t stride,
                                                      std::size_t n_bytes, Vector* words,
                                                      const std::byte* ahead) noexcept {
  std::size_t at = 0;
  for (; at + kStepBytes <= n_bytes; at += kStepBytes) {
    prefetch_part(ahead, at, kStepBytes);
    transpose_16_bytes(rows + at, stride, words + at / 4);
  }
  if (at == n_bytes) return;
  prefetch_part(ahead, at, n_bytes - at);
  Vector last[5];  // the last 16 bytes, and zeros
  transpose_16_bytes(rows + n_bytes - kStepBytes, stride, last);
  last[4] = Vector{};
  const std::size_t seen = kStepBytes - (n_bytes - at);  // of those, bytes that words[] has already
  const auto bits = static_cast<std::uint32_t>(8 * (seen % 4));
  for (const Vector* from = last + seen / 4; at < n_bytes; at += 4, ++from) {
    words[at / 4] = bits == 0 ? from[0] : from[0] >> bits | from[1] << (32 - bits);
  }
}

}  // namespace
}  // namespace cistern::kernels
