// The block kernels of attention: a tile of query rows (tokens x heads of one KV head) against 64 keys at a
// time, by the online softmax (Milakov & Gimelshein 2018). One set of functions per arithmetic: float32
// everywhere, and bfloat16 with float32 sums where the ISA multiplies it. Called by ops/attention_tile.cc
// only, which owns all the memory. A row's sums run over its own keys in ascending order, whatever other rows
// share the tile: the base of "same bits" (ARCHITECTURE.md). Immutable; thread-safe; no allocation, no
// errors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "quant/format.h"
#include "sys/cpu_features.h"
#include "tensor/dtype.h"

namespace cistern::kernels {

inline constexpr std::size_t kBlockKeys = 64;    // keys of a block
inline constexpr std::size_t kPassRows = 16;     // rows whose scores are held at once
inline constexpr std::size_t kSumLanes = 16;     // partial sums of a row's weights
inline constexpr std::size_t kDimMultiple = 16;  // packed rows and panels are padded with zeros to this

inline constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();  // the maximum of no score

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kDecodedRows = 4;  // of the cache, decoded to floats at a time

constexpr std::size_t padded_dim(std::size_t dim) noexcept {
  return (dim + kDimMultiple - 1) / kDimMultiple * kDimMultiple;
}

// Cache lines that will be wanted soon: the rows of the next block. They are asked for a few at a time
// between arithmetic; the core has room for some dozen requests, and a burst of hundreds would wait for it.
struct LinesAhead {
  const std::byte* line = nullptr;
  std::size_t left = 0;
  std::size_t per_row = 0;
  std::size_t left_in_row = 0;
  std::size_t gap = 0;  // bytes from the end of a row's lines to the next row's

  void ask(std::size_t n = 1) noexcept {
    for (; n > 0 && left > 0; --n, --left) {
      __builtin_prefetch(line);
      line += kCacheLine;
      if (--left_in_row == 0) {
        left_in_row = per_row;
        line += gap;
      }
    }
  }
};

// One head's keys or values of a block, in a ring of rows: key `begin` lies at `first`, the keys after it
// follow at steps of row_bytes until `until_wrap` rows are over, and go on at `ring`.
struct CacheRows {
  DType type = DType::kF32;
  std::size_t dim = 0;
  std::size_t head_bytes = 0;        // bytes of dim values
  std::uint32_t begin = 0, end = 0;  // keys of the block that are there; the panel has zeros for the others
  const std::byte* first = nullptr;
  const std::byte* ring = nullptr;
  std::uint32_t until_wrap = 0;
  std::size_t row_bytes = 0;
  std::size_t lines_per_step = 0;  // to ask for per 16 dims of 16 keys, or per pair of values
  quant::DequantizeFn decode = nullptr;
  float* decoded = nullptr;  // working memory, kDecodedRows rows of padded dim
};

// The keys that a row sees of a block: [begin, end).
struct KeyRange {
  std::uint8_t begin = 0, end = kBlockKeys;
};

// Rows of a tile and where their softmax stands. Weights are powers of two relative to `maxima`, whole
// numbers, so that moving one rescales exactly.
struct RowState {
  float* maxima = nullptr;   // (rows): at most kHeadroom below the greatest score; -infinity before the first
  float* sums = nullptr;     // (kSumLanes, rows)
  float* results = nullptr;  // (padded value_dim, rows), not yet divided by the sums
};

struct AttentionBlock {
  std::size_t n_rows = 0;
  std::size_t n_keys = kBlockKeys;  // keys from here on are seen by no row
  std::size_t key_dim = 0;          // padded
  std::size_t value_dim = 0;        // padded
  const std::byte* queries = nullptr;
  const std::byte* keys = nullptr;
  const std::byte* values = nullptr;
  LinesAhead* keys_ahead = nullptr;  // asked for between multiplications
  LinesAhead* values_ahead = nullptr;
  const KeyRange* visible = nullptr;  // per row; null: every row sees the whole block
  float softcap = 0;                  // in units of the scores' logarithm (base 2); 0: off
  RowState state;
  std::byte* workspace = nullptr;  // kWorkspaceBytes
};

inline constexpr std::size_t kWorkspaceBytes =
    kPassRows * kBlockKeys * (sizeof(float) + sizeof(std::uint16_t));

// A row's softmax over the whole context so far: its sum of values lies where the result will be.
struct RowTotal {
  float maximum = 0;  // -infinity: nothing yet
  float sum = 0;
};

struct AttentionKernels {
  std::size_t value_bytes = 0;  // of a packed query, key or value
  // packed[i] = query[i] * scale, zeros up to the padded dim.
  void (*pack_query)(const float* query, float scale, std::size_t dim, std::byte* packed) noexcept = nullptr;
  // A block's keys or values as a panel of (padded dim, kBlockKeys) packed values.
  void (*load_keys)(const CacheRows& rows, LinesAhead& ahead, std::byte* panel) noexcept = nullptr;
  void (*load_values)(const CacheRows& rows, LinesAhead& ahead, std::byte* panel) noexcept = nullptr;
  // Adds a block to the softmax of each row. The scores are base-2 logarithms; with a soft cap c they are
  // c * tanh(x / 2), where 2^x = e^2(score / cap): the caller's query scale sees to it
  // (ops/attention_tile.cc).
  void (*attend)(const AttentionBlock& block) noexcept = nullptr;
  // Adds a share of the context, the first row of `share`, to a row's total and its `dim` values at `out`.
  void (*merge)(const RowState& share, std::size_t dim, RowTotal& total, float* out) noexcept = nullptr;
};

// What the ISA has for a cache of `type`. REQUIRES: kv::is_cache_type(type).
const AttentionKernels& attention_kernels(sys::Isa isa, DType type) noexcept;

// The sets that ISA folders define; null where the build has none.
const AttentionKernels* attention_scalar() noexcept;
const AttentionKernels* attention_avx2() noexcept;
const AttentionKernels* attention_avx512() noexcept;
const AttentionKernels* attention_avx512_bf16() noexcept;
const AttentionKernels* attention_neon() noexcept;

}  // namespace cistern::kernels
