// Geometry of attention's working memory, shared by the op and by the scratch size that the planner asks for.
// Every part is a whole number of cache lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/attention_table.h"

namespace cistern::ops {

// The context is cut at multiples of this position, whatever the chunk. Each share has a softmax of its own,
// and a row's result is their sum in ascending order: that is its definition, so shares may be computed by
// different threads and the bits stay.
inline constexpr std::uint64_t kShareKeys = 1024;

// Rows (tokens x query heads of a KV head) of a tile: as many as keep its results within 64 KiB.
constexpr std::size_t max_tile_rows(std::size_t padded_dim) {
  return std::clamp<std::size_t>(32768 / padded_dim / 32 * 32, 128, 256);
}

// Floats of each part, for heads of up to `max_head_dim` values.
struct AttentionScratch {
  explicit constexpr AttentionScratch(std::size_t max_head_dim)
      : dim(kernels::padded_dim(max_head_dim)), rows(max_tile_rows(dim)) {}

  std::size_t dim;   // padded
  std::size_t rows;  // of a tile at most

  constexpr std::size_t queries() const { return rows * dim; }
  constexpr std::size_t panel() const { return kernels::kBlockKeys * dim; }
  constexpr std::size_t decoded() const { return kernels::kDecodedRows * dim; }
  static constexpr std::size_t workspace() { return kernels::kWorkspaceBytes / sizeof(float); }
  constexpr std::size_t visible() const { return rows * sizeof(kernels::KeyRange) / sizeof(float); }
  constexpr std::size_t totals() const { return rows * sizeof(kernels::RowTotal) / sizeof(float); }
  // The state of `n` rows; that of a whole tile can be cut into those of several shares.
  constexpr std::size_t state(std::size_t n) const {
    return (n + 15) / 16 * 16 + n * (kernels::kSumLanes + dim);
  }
  constexpr std::size_t total() const {
    return queries() + 2 * panel() + decoded() + workspace() + visible() + totals() + state(rows);
  }
};

// Enough for heads of any size up to `max_head_dim`: smaller heads come in larger tiles.
constexpr std::size_t attention_scratch_floats(std::uint64_t max_head_dim) {
  std::size_t most = 0;
  for (std::size_t dim = kernels::kDimMultiple; dim <= kernels::padded_dim(max_head_dim);
       dim += kernels::kDimMultiple) {
    most = std::max(most, AttentionScratch(dim).total());
  }
  return most;
}

}  // namespace cistern::ops
