// The selection of sparse attention (DeepSeek-AI 2025): an indexer with small heads scores all tokens before
// a query, sum over heads of weight times relu(query . key), and the top_k best are attended to. Scores are
// floats over the cached keys; of equal scores the earlier token wins, so a selection depends on its own
// token only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kv/cache.h"
#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// Encodes the keys of tokens first_position.. into the cache.
void store_index_keys(const Exec& exec, const TensorView& keys, const kv::LayerView& cache,
                      std::uint32_t first_position);

struct SelectArgs {
  TensorView queries;  // f32 (heads * key values, tokens)
  TensorView weights;  // f32 (heads, tokens)
  kv::LayerView cache;
  std::uint32_t first_position = 0;  // of the first query
  std::uint32_t ratio = 1;  // a query at p chooses from the first (p + 1) / ratio keys, at least top_k
  std::uint32_t top_k = 0;
  std::span<std::uint32_t> selected;  // top_k positions per token, ascending
};
void select_tokens(const Exec& exec, const SelectArgs& args);

// The rows of the cache at these positions as a cache of their own at `memory`, one after the other.
kv::LayerView gather_keys(const Exec& exec, const kv::LayerView& cache,
                          std::span<const std::uint32_t> positions, std::byte* memory);

// Floats of scratch that a thread needs to select.
std::uint64_t select_scratch_floats(std::uint64_t key_dim, std::uint64_t top_k) noexcept;

}  // namespace cistern::ops
