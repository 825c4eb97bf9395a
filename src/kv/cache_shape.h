// The arithmetic of the KV cache: how many positions each layer keeps and how many bytes that is. The planner
// prints these numbers and kv/cache.cc allocates them: there is no second copy (contract 1). Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "tensor/dtype.h"

namespace cistern::kv {

struct LayerShape {
  std::uint32_t n_kv_heads = 0;      // 0: no keys and values
  std::uint32_t key_dim = 0;         // values per key head
  std::uint32_t value_dim = 0;       // values per value head
  std::uint32_t window = 0;          // tokens that a query sees, itself included; 0: all
  bool values_in_keys = false;       // of one head: the values are the first value_dim values of its keys
  std::uint32_t index_dim = 0;       // values of a key of the indexer; 0: no indexer
  std::uint32_t compressed_dim = 0;  // values of a compressed token's key, which is its value too
  std::uint32_t compress_ratio = 1;  // tokens per row of the compressed and the indexer's keys
  std::uint64_t state_floats = 0;    // of a recurrent layer, whatever the length
};

struct CacheShape {
  std::vector<LayerShape> layers;
  DType type = DType::kF16;
  std::uint32_t context_tokens = 0;  // longest sequence
  std::uint32_t chunk_tokens = 1;    // most tokens appended at once
  bool transient =
      false;  // a layer's keys are read in its own step only, and layers share the memory: encoders
};

// The types a cache can have: f32, f16, bf16, q8_0, q4_0.
bool is_cache_type(DType type) noexcept;

// kUnsupported when `type` is none of them, or a head is no whole number of its blocks.
Result<void> validate(const CacheShape& shape);

// Positions kept: the whole context, or for a window what the earliest query of a chunk still sees.
std::uint32_t slots_of(const LayerShape& layer, const CacheShape& shape) noexcept;

// Bytes of one token's keys (all heads), of its values where they are kept apart, and of its indexer's key.
// REQUIRES: validate() succeeded.
std::uint64_t index_row_bytes(const LayerShape& layer, DType type) noexcept;
std::uint64_t key_row_bytes(const LayerShape& layer, DType type) noexcept;
std::uint64_t value_row_bytes(const LayerShape& layer, DType type) noexcept;

std::uint64_t compressed_row_bytes(const LayerShape& layer, DType type) noexcept;

// Rows of the compressed and of the indexer's keys.
std::uint32_t side_slots_of(const LayerShape& layer, const CacheShape& shape) noexcept;

// Bytes of a layer and of the whole cache, exactly what Cache::create allocates.
std::uint64_t layer_bytes(const LayerShape& layer, const CacheShape& shape) noexcept;
std::uint64_t total_bytes(const CacheShape& shape) noexcept;

// Sequences may share memory page by page (kv/page_pool.h). A page has the rows of kPageTokens tokens, of all
// layers that keep rows of every token; a whole number of attention's blocks of keys. What else a sequence
// leaves behind is its own: rings, states, rows of more tokens than a page has.
inline constexpr std::uint32_t kPageTokens = 64;

constexpr std::uint32_t pages_of(std::uint64_t tokens) noexcept {
  return static_cast<std::uint32_t>((tokens + kPageTokens - 1) / kPageTokens);
}
bool has_paged_rows(const LayerShape& layer) noexcept;
bool has_paged_side_rows(const LayerShape& layer) noexcept;

// Bytes of a page, all layers, and of what each sequence has beside its pages. REQUIRES: !shape.transient.
std::uint64_t page_bytes(const CacheShape& shape) noexcept;
std::uint64_t page_bytes(const LayerShape& layer, DType type) noexcept;
std::uint64_t own_bytes(const CacheShape& shape) noexcept;
std::uint64_t own_bytes(const LayerShape& layer, const CacheShape& shape) noexcept;

}  // namespace cistern::kv
