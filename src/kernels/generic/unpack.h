// What the unpackers of generic/unpack_*.h share: reading fields out of words that hold one row per lane, and
// the sinks that take codes, scales and minimums. An unpacker reads like scalar code for one row and does
// kLanes rows at once. It is a struct that names its format's geometry (with minimums also the bits of its
// codes; without, they are one more than kOffsetBits) and gives to a sink, in ascending order: the scales and
// minimums, then the codes of each group followed by end_group(). Not a public header.
//
// All is written over the ISA's lanes.h, included inside its target region after it, which provides
//   kLanes; U32, I32, U16, F32          vectors of as many 32-bit lanes (of 16 bits: twice as many)
//   to_float, half_to_float, store_bytes, largest_lane, sum_of_lanes
//   multiply_add(a, b, c)               a * b + c, rounded once
//   funnel_shift<kShift>, lookup_bytes  by bits of two words; by bytes below 16
//   gather                              32-bit entries of a table
//   load_words                          generic/load_words.h over its transpose_16_bytes, or its own
// and may overload, for its U32, the function templates of generic/unpack_bits.h.
#pragma once

#include "kernels/generic/prefetch.h"
#include "kernels/panel.h"

namespace cistern::kernels {
namespace {

template <class Format>
constexpr std::size_t bytes_of(int n_values) noexcept {
  // Of most formats a constant.
  if constexpr (Format::kValues == kChunkValues) return Format::kBytes;
  return static_cast<std::size_t>(n_values / Format::kValues * Format::kBytes);
}

// Calls of end_group for a whole chunk.
template <class Format>
constexpr int kGroups = kChunkValues / (Format::kGroup == kChunkValues ? kBlockValues : Format::kGroup);

// The part of a panel that kLanes rows fill.
template <class Format>
struct PanelSink {
  Int8Panel& panel;
  int first_row;
  BlockAhead<bytes_of<Format>(kChunkValues)> ahead;

  void codes(int quad, U32 v) const noexcept { std::memcpy(&panel.codes[quad][first_row], &v, sizeof v); }
  void scale(int group, F32 v) const noexcept { std::memcpy(&panel.scale[group][first_row], &v, sizeof v); }
  void min(int group, F32 v) const noexcept { std::memcpy(&panel.min[group][first_row], &v, sizeof v); }
  void end_group(int group) const noexcept { ahead.template with_group<kGroups<Format>>(group); }
};

// The word at byte 4 * i + kSkew.
template <int kSkew>
inline U32 word_at(const U32* words, int i) noexcept {
  if constexpr (kSkew == 0) {
    return words[i];
  } else {
    return funnel_shift<8 * kSkew>(words[i], words[i + 1]);
  }
}

// Byte `i` of a row, zero-extended or sign-extended.
inline U32 byte_at(const U32* words, int i) noexcept {
  return words[i / 4] >> (8 * (i % 4)) & 0xFFU;
}
inline I32 signed_byte_at(const U32* words, int i) noexcept {
  return (I32)(words[i / 4] << (24 - 8 * (i % 4))) >> 24;
}

// The binary16 at the even byte `i`.
inline F32 half_at(const U32* words, int i) noexcept {
  return half_to_float(i % 4 == 0 ? words[i / 4] & 0xFFFFU : words[i / 4] >> 16);
}

// Four nibbles at once: of each byte the low or the high one.
inline U32 low_nibbles(U32 v) noexcept {
  return v & 0x0F0F0F0FU;
}
inline U32 high_nibbles(U32 v) noexcept {
  return v >> 4 & 0x0F0F0F0FU;
}

// A format of blocks of kBytes, 32 or more values each: calls block(words, b, skew) with the words that hold
// block b and the byte in the first of them where it starts, as a constant.
template <int kBytes, class F>
inline void for_blocks(const U32* words, int n_blocks, const F& block) noexcept {
  for (int b = 0; b < n_blocks; ++b) {
    const U32* at = words + b * kBytes / 4;
    switch (b * kBytes % 4) {
      case 0:
        block(at, b, std::integral_constant<int, 0>{});
        break;
      case 1:
        block(at, b, std::integral_constant<int, 1>{});
        break;
      case 2:
        block(at, b, std::integral_constant<int, 2>{});
        break;
      default:
        block(at, b, std::integral_constant<int, 3>{});
        break;
    }
  }
}

// The words of kLanes rows of a chunk, on the stack.
template <class Format>
struct Words {
  static constexpr int kMost = kChunkValues / Format::kValues * Format::kBytes / 4 + 2;
  template <class Ahead>
  Words(const std::byte* rows, std::size_t stride, int n_values, const Ahead& ahead) noexcept {
    load_words(rows, stride, bytes_of<Format>(n_values), words, ahead);
  }
  U32 words[kMost];
};

// Fills a panel (UnpackFn).
template <class Format>
void unpack_panel(const std::byte* rows, std::size_t stride, int n_values, std::byte* panel,
                  const std::byte* ahead) noexcept {
  for (int first = 0; first < kPanelRows; first += kLanes) {
    const BlockAhead<bytes_of<Format>(kChunkValues)> block{ahead};
    const Words<Format> words(rows + static_cast<std::size_t>(first) * stride, stride, n_values, block);
    const PanelSink<Format> sink{*reinterpret_cast<Int8Panel*>(panel), first, block};
    Format::unpack(words.words, n_values, sink);
    ahead += kLanes * bytes_of<Format>(kChunkValues);
  }
}

}  // namespace
}  // namespace cistern::kernels
