// What matrix products are made of: a panel is 16 weight rows x 256 columns of any format, unpacked (integers
// into lanes, lane = row) so that one multiplication serves every format; a chunk is 256 activations of one
// token, packed once per matmul input. unpack() turns packed rows into a panel, pack() floats into chunks,
// multiply() a pair of panels times any number of tokens. A product is a function of its own row and token:
// integers are exact within a group, and floats are added in an order of their own, so neither the number of
// tokens nor that of threads can change a bit. Used by ops/ only; docs/kernels.md tells the arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cistern::kernels {

inline constexpr int kPanelRows = 16;
inline constexpr int kPairRows = 2 * kPanelRows;  // two panels are multiplied together
inline constexpr int kChunkValues = 256;
inline constexpr int kBlockValues = 32;  // activations that share a shift; a row's length is a multiple
inline constexpr int kChunkBlocks = kChunkValues / kBlockValues;

// Weights as unsigned codes: w = scale * (code - 2^offset_bits), or scale * code + min for formats with
// minimums.
struct alignas(64) Int8Panel {
  std::uint32_t codes[kChunkValues / 4][kPanelRows];  // four consecutive columns per word
  float scale[16][kPanelRows];                        // per group of 16 or 32 columns, or one for all
  float min[16][kPanelRows];                          // per group of 16 or 32 columns
};

// Activations as 8-bit integers: x = d * 2^shift * q. One d for the chunk and a shift per block: an outlier
// costs precision only in its own block, and scaling by a shift is exact.
struct alignas(64) Int8Chunk {
  std::int8_t q[kChunkValues];
  std::int32_t shift[kChunkBlocks];
  std::int32_t negated_sum32[kChunkBlocks];      // -(sum of q) of each 32 values
  std::int32_t negated_sum16[2 * kChunkBlocks];  // of each 16
  float scaled_sum32[kChunkBlocks];              // (sum of q) * 2^shift of each 32 values, for minimums
  float scaled_sum16[2 * kChunkBlocks];
  float d;
};

// Weights and activations as bfloat16, in order: there is no group to unpack, and rows can be multiplied
// along.
struct alignas(64) Bf16Panel {
  std::uint16_t values[kPanelRows][kChunkValues];
};
struct alignas(64) Bf16Chunk {
  std::uint16_t values[kChunkValues];
};

// Not a power of two: the same rows of several chunks, read together, must not fall into the same cache sets.
inline constexpr std::size_t kPanelBytes = sizeof(Bf16Panel) + 1024;
inline constexpr std::size_t kChunkBytes = sizeof(Int8Chunk);
static_assert(sizeof(Int8Panel) <= kPanelBytes && sizeof(Bf16Chunk) == kChunkBytes);

// How a format is multiplied. Formats without a panel kernel are decoded to floats and multiplied as floats.
enum class Arithmetic : std::uint8_t { kFloat, kInt8, kBf16 };
inline constexpr int kArithmeticCount = 3;

// Rows are row_stride bytes apart; `rows` points at their first block of the chunk. n_values <= 256 and a
// multiple of 32. Reads nothing beyond the last row's blocks. Prefetches as many bytes from `ahead` on as it
// reads, spread over its work (a burst would fill the load buffers and stall); `ahead` may point anywhere.
using UnpackFn = void (*)(const std::byte* rows, std::size_t row_stride, int n_values, std::byte* panel,
                          const std::byte* ahead) noexcept;

// Packs n floats (a multiple of 32) into ceil(n / 256) chunks, chunk_stride bytes apart.
using PackFn = void (*)(const float* x, std::size_t n, std::byte* chunks, std::size_t chunk_stride) noexcept;

// out[t * out_stride + r] (+)= sum over the chunks of panel row r times token t; r < 32.
struct PairTile {
  const std::byte* panels = nullptr;  // chunk c: its pair at c * 2 * kPanelBytes
  const std::byte* x = nullptr;       // chunk c of token t at c * x_chunk_stride + t * kChunkBytes
  std::size_t x_chunk_stride = 0;
  int n_values = 0;  // of all chunks; only the last one may be partial
  int n_tokens = 0;
  float* out = nullptr;
  std::size_t out_stride = 0;
  bool accumulate = false;  // false: starts from zero
  int offset_bits = 0;      // of the format; ignored by formats with minimums
};
using MultiplyFn = void (*)(const PairTile& tile) noexcept;

// A pair of panels' rows times a few tokens without panels in between, in the same order and so with the same
// bits: out[t * out_stride + r] = row r times token t; r < 32. Reads like UnpackFn, and prefetches the rows
// after these.
inline constexpr int kDotTokens = 8;
struct RowsTile {
  const std::byte* rows = nullptr;
  std::size_t row_stride = 0;
  const std::byte* x = nullptr;  // chunk c of token t at c * x_chunk_stride + t * kChunkBytes
  std::size_t x_chunk_stride = 0;
  int n_values = 0;  // of all chunks; only the last one may be partial
  int n_tokens = 0;  // 1..kDotTokens
  float* out = nullptr;
  std::size_t out_stride = 0;
};
using DotFn = void (*)(const RowsTile& tile) noexcept;

inline constexpr int kMostPassChunks = 8;
struct PanelKernel {
  Arithmetic arithmetic = Arithmetic::kFloat;
  UnpackFn unpack = nullptr;
  MultiplyFn multiply = nullptr;
  DotFn dot = nullptr;
  int offset_bits = 0;
  // Chunks that are unpacked before they are multiplied, in one call; a product's sums depend on it. More
  // take the sums to memory less often, fewer leave room for the activations in the cache.
  int pass_chunks = 0;
};

}  // namespace cistern::kernels
