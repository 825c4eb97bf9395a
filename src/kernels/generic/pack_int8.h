// Packs activations as 8-bit integers (Int8Chunk). Plain loops that compilers vectorize; the same bits on
// every ISA. Included inside a target region. Not a public header.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/panel.h"

namespace cistern::kernels {
namespace {

constexpr int kMostDoublings = 7;

constexpr int kBlockVectors = kBlockValues / kLanes;

inline F32 load_floats(const float* p) noexcept {
  F32 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Non-negative floats compare like their bits, and a NaN is above all.
inline std::int32_t largest_magnitude_bits(const float* x) noexcept {
  I32 largest = {};
  for (int i = 0; i < kBlockVectors; ++i) {
    const I32 bits = (I32)load_floats(x + i * kLanes) & 0x7FFFFFFF;
    largest = bits > largest ? bits : largest;
  }
  return largest_lane(largest);
}

// q[i] = x[i] * factor, rounded to nearest even: adding 1.5 * 2^23 leaves the integer in the low bits. Gives
// the sums of the two halves.
inline void round_block(const float* x, float factor, std::int8_t* q, std::int32_t (&sums)[2]) noexcept {
  constexpr float kRound = 12582912.0F;
  I32 halves[2] = {};
  for (int i = 0; i < kBlockVectors; ++i) {
    const I32 integers =
        (I32)(load_floats(x + i * kLanes) * factor + kRound) - std::bit_cast<std::int32_t>(kRound);
    store_bytes(q + i * kLanes, integers);
    halves[2 * i / kBlockVectors] += integers;
  }
  for (int half = 0; half < 2; ++half) sums[half] = sum_of_lanes(halves[half]);
}

void pack_int8_chunk(const float* x, int n_blocks, Int8Chunk& chunk) noexcept {
  std::int32_t block_bits[kChunkBlocks];
  std::int32_t largest_bits = 0;
  for (int b = 0; b < n_blocks; ++b) {
    block_bits[b] = largest_magnitude_bits(x + b * kBlockValues);
    largest_bits = std::max(largest_bits, block_bits[b]);
  }
  const float largest = std::bit_cast<float>(largest_bits);
  // Below this, 127 / largest would overflow; such activations are zero for every purpose.
  const float inverse = largest < 0x1p-100F ? 0.0F : 127.0F / largest;
  chunk.d = largest < 0x1p-100F ? 0.0F : largest * (0x1p-7F / 127.0F);
  for (int b = 0; b < n_blocks; ++b) {
    // How often the block's largest can be doubled without passing the chunk's: the difference of their
    // exponents, less one if its mantissa is the greater.
    const int doublings = std::min(kMostDoublings, (largest_bits - block_bits[b]) >> 23);
    const int shift = kMostDoublings - doublings;
    std::int32_t sums[2];
    round_block(x + b * kBlockValues, inverse * static_cast<float>(1 << doublings),
                chunk.q + b * kBlockValues, sums);
    const auto [first, second] = sums;
    chunk.shift[b] = shift;
    chunk.negated_sum16[2 * b] = -first;
    chunk.negated_sum16[2 * b + 1] = -second;
    chunk.negated_sum32[b] = -(first + second);
    chunk.scaled_sum16[2 * b] = static_cast<float>(first * (1 << shift));
    chunk.scaled_sum16[2 * b + 1] = static_cast<float>(second * (1 << shift));
    chunk.scaled_sum32[b] = static_cast<float>((first + second) * (1 << shift));
  }
}

void pack_int8(const float* x, std::size_t n, std::byte* chunks, std::size_t chunk_stride) noexcept {
  for (std::size_t i = 0; i < n; i += kChunkValues) {
    const auto n_blocks = static_cast<int>(std::min<std::size_t>(n - i, kChunkValues)) / kBlockValues;
    pack_int8_chunk(x + i, n_blocks, *reinterpret_cast<Int8Chunk*>(chunks + i / kChunkValues * chunk_stride));
  }
}

}  // namespace
}  // namespace cistern::kernels
