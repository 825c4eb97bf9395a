// Loads rows of bytes as words, a row per lane, over the ISA's transpose_16_bytes; what is wanted ahead
// (prefetch.h) is asked for meanwhile. Included by the ISA's lanes.h, which may overload load_words for its
// U32. Not a public header.
#pragma once

#include <cstddef>

namespace cistern::kernels {
namespace {

constexpr std::size_t kStepBytes = 16;  // of a row, loaded at once

// What is left of load_words when the first `at` bytes, a multiple of kStepBytes, have been loaded.
template <class Vector, class Ahead>
__attribute__((always_inline)) inline void load_other_words(const std::byte* rows, std::size_t stride,
                                                            std::size_t n_bytes, Vector* words,
                                                            std::size_t at, const Ahead& ahead) noexcept {
  for (; at + kStepBytes <= n_bytes; at += kStepBytes) {
    ahead.with_load(at, kStepBytes);
    transpose_16_bytes(rows + at, stride, words + at / 4);
  }
  if (at == n_bytes) return;
  ahead.with_load(at, n_bytes - at);
  Vector last[5];  // the last 16 bytes, and zeros
  transpose_16_bytes(rows + n_bytes - kStepBytes, stride, last);
  last[4] = Vector{};
  const std::size_t seen = kStepBytes - (n_bytes - at);  // of those, bytes that words[] has already
  const auto bits = static_cast<std::uint32_t>(8 * (seen % 4));
  for (const Vector* from = last + seen / 4; at < n_bytes; at += 4, ++from) {
    words[at / 4] = bits == 0 ? from[0] : from[0] >> bits | from[1] << (32 - bits);
  }
}

// The rows' first n_bytes (at least 16, or as many readable ones before them) as words: lane r of words[i] is
// the little-endian word at byte 4 * i of row r; bytes left over are the low ones of a last word.
template <class Vector, class Ahead>
__attribute__((always_inline)) inline void load_words(const std::byte* rows, std::size_t stride,
                                                      std::size_t n_bytes, Vector* words,
                                                      const Ahead& ahead) noexcept {
  load_other_words(rows, stride, n_bytes, words, 0, ahead);
}

}  // namespace
}  // namespace cistern::kernels
