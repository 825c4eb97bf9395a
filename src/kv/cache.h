// What one sequence leaves behind, per layer: keys and values in the type the plan chose, and the state of
// recurrent layers. A windowed layer is a ring that keeps only what its window can still see. Written and
// read by ops/ through LayerView; the decoder moves the length. Owns its memory, allocated once by create()
// and committed by the system as it fills, unless the loader commits it before; or takes pages of a pool as
// it grows and owns the rest. Not thread-safe, except that threads may write different rows of a chunk at
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kv/cache_shape.h"
#include "kv/page_pool.h"
#include "sys/buffer.h"

namespace cistern::kv {

// Where the rows of a layer lie.
struct LayerView {
  LayerShape shape;
  DType type = DType::kF16;
  std::uint32_t slots = 0;      // rows of keys, and of values; unless they are paged
  std::byte* keys = nullptr;    // of key_row_bytes
  std::byte* values = nullptr;  // of value_row_bytes
  std::uint64_t key_row_bytes = 0;
  std::uint64_t value_row_bytes = 0;
  std::byte* index_keys = nullptr;  // a row of index_row_bytes per compress_ratio tokens
  std::uint64_t index_row_bytes = 0;
  std::byte* compressed_keys = nullptr;  // the same, of compressed_row_bytes
  std::uint64_t compressed_row_bytes = 0;
  std::span<float> state;  // of a recurrent layer; zeros before the first token
  // In which page the rows of each kPageTokens tokens are, for the whole context; null: not in pages.
  const PageId* pages = nullptr;
  const PageId* side_pages = nullptr;  // the same of index_keys and compressed_keys

  // The row of keys and values that a position has.
  std::uint64_t slot(std::uint64_t position) const {
    if (pages == nullptr) return position % slots;
    return std::uint64_t{pages[position / kPageTokens]} * kPageTokens + position % kPageTokens;
  }
  std::uint64_t side_slot(std::uint64_t row) const {
    if (side_pages == nullptr) return row;
    const std::uint64_t per_page = kPageTokens / shape.compress_ratio;
    return side_pages[row / per_page] * per_page + row % per_page;
  }
  std::byte* key_row(std::uint64_t position) const { return keys + slot(position) * key_row_bytes; }
  std::byte* value_row(std::uint64_t position) const { return values + slot(position) * value_row_bytes; }
  std::byte* index_row(std::uint64_t row) const { return index_keys + side_slot(row) * index_row_bytes; }
  std::byte* compressed_row(std::uint64_t row) const {
    return compressed_keys + side_slot(row) * compressed_row_bytes;
  }
  // The same layer with other rows: `n` of them in one piece, which all queries see.
  LayerView over(std::byte* rows, std::uint64_t n) const;
};

class Cache {
 public:
  // kMemory when the system refuses the memory; the errors of validate().
  static Result<Cache> create(CacheShape shape);
  // With rows in pages of the pool, of which it has none yet. The pool must outlive the cache and stay where
  // it is. REQUIRES: !shape.transient, and the pool is of the same shape.
  static Result<Cache> create(CacheShape shape, PagePool& pool);
  Cache(Cache&&) noexcept = default;
  Cache& operator=(Cache&&) = delete;
  ~Cache();

  const CacheShape& shape() const { return shape_; }
  std::uint32_t length() const { return length_; }  // tokens held
  bool has_state() const { return has_state_; }     // of recurrent layers
  LayerView layer(std::uint32_t li) const { return layers_[li]; }
  std::span<std::byte> memory() { return buffer_.bytes(); }  // all that it has but pages

  // After a chunk's keys and values are written. REQUIRES: the sum stays within the context.
  void advance(std::uint32_t n_tokens);

  // Whether the cache can be cut back to `length` tokens: windowed layers must still hold what is seen there,
  // and a recurrent state has no past.
  bool can_truncate(std::uint32_t length) const;
  void truncate(std::uint32_t length);  // REQUIRES: can_truncate(length)

  // Takes the pages that n more tokens need; false: the pool has too few, and nothing changed. Always true
  // without a pool. REQUIRES: they fit the context.
  bool reserve(std::uint32_t n_tokens);
  std::span<const PageId> pages() const { return std::span(table_).first(n_pages_); }
  // Instead of the i-th page another one with the same rows, which the caller has taken for it.
  void replace_page(std::uint32_t i, PageId page);
  // Begins with pages that the caller has taken for it, the first `length` tokens in them, and `own`, what
  // save_own() wrote at that length (empty: this cache has nothing of its own). REQUIRES: it is empty, and
  // the last page is in no other hands if it is not full.
  void begin(std::span<const PageId> pages, std::uint32_t length, std::span<const std::byte> own);
  std::uint64_t own_bytes() const { return pool_ == nullptr ? 0 : buffer_.bytes().size(); }
  void save_own(std::span<std::byte> own) const;  // own_bytes()

  // The recurrent states at the present length, to return to. Windowed layers must still hold what is seen
  // there.
  struct Checkpoint {
    std::uint32_t length = 0;
    std::vector<float> states;  // of all layers, one after the other
  };
  void save(Checkpoint& checkpoint) const;  // re-uses its memory
  void restore(const Checkpoint& checkpoint);

 private:
  explicit Cache(CacheShape shape) : shape_(std::move(shape)) {}
  void drop_pages(std::uint32_t n_kept);

  CacheShape shape_;
  sys::Buffer buffer_;
  PagePool* pool_ = nullptr;   // null: all is in buffer_
  std::vector<PageId> table_;  // of the whole context
  std::uint32_t n_pages_ = 0;  // of them taken
  std::vector<LayerView> layers_;
  bool has_state_ = false;
  std::uint32_t length_ = 0;
  std::uint32_t high_water_ = 0;  // the longest since empty: says what the rings have overwritten
};

}  // namespace cistern::kv
