// What one sequence leaves behind, per layer: keys and values in the type the plan chose, and the state of
// recurrent layers. A windowed layer is a ring that keeps only what its window can still see. Written and
// read by ops/ through LayerView; the decoder moves the length. Owns its memory, allocated once by create();
// it is committed by the system as it fills. Not thread-safe, except that threads may write different rows of
// a chunk at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "kv/cache_shape.h"
#include "sys/buffer.h"

namespace cistern::kv {

// Where the rows of a layer lie: position p is slot p % slots.
struct LayerView {
  LayerShape shape;
  DType type = DType::kF16;
  std::uint32_t slots = 0;
  std::byte* keys = nullptr;    // slots rows of key_row_bytes
  std::byte* values = nullptr;  // slots rows of value_row_bytes
  std::uint64_t key_row_bytes = 0;
  std::uint64_t value_row_bytes = 0;
  std::byte* index_keys = nullptr;  // a row of index_row_bytes per compress_ratio tokens
  std::uint64_t index_row_bytes = 0;
  std::byte* compressed_keys = nullptr;  // the same, of compressed_row_bytes
  std::uint64_t compressed_row_bytes = 0;
  std::span<float> state;  // of a recurrent layer; zeros before the first token

  std::byte* key_row(std::uint64_t position) const { return keys + position % slots * key_row_bytes; }
  std::byte* value_row(std::uint64_t position) const { return values + position % slots * value_row_bytes; }
  std::byte* index_row(std::uint64_t row) const { return index_keys + row * index_row_bytes; }
  std::byte* compressed_row(std::uint64_t row) const { return compressed_keys + row * compressed_row_bytes; }
};

class Cache {
 public:
  // kMemory when the system refuses the memory; the errors of validate().
  static Result<Cache> create(CacheShape shape);

  const CacheShape& shape() const { return shape_; }
  std::uint32_t length() const { return length_; }  // tokens held
  bool has_state() const { return has_state_; }     // of recurrent layers
  LayerView layer(std::uint32_t li) const { return layers_[li]; }

  // After a chunk's keys and values are written. REQUIRES: the sum stays within the context.
  void advance(std::uint32_t n_tokens);

  // Whether the cache can be cut back to `length` tokens: windowed layers must still hold what is seen there,
  // and a recurrent state has no past.
  bool can_truncate(std::uint32_t length) const;
  void truncate(std::uint32_t length);  // REQUIRES: can_truncate(length)

  // The recurrent states at the present length, to return to. Windowed layers must still hold what is seen
  // there.
  struct Checkpoint {
    std::uint32_t length = 0;
    std::vector<float> states;  // of all layers, one after the other
  };
  void save(Checkpoint& checkpoint) const;  // re-uses its memory
  void restore(const Checkpoint& checkpoint);

 private:
  CacheShape shape_;
  sys::Buffer buffer_;
  std::vector<LayerView> layers_;
  bool has_state_ = false;
  std::uint32_t length_ = 0;
  std::uint32_t high_water_ = 0;  // the longest since empty: says what the rings have overwritten
};

}  // namespace cistern::kv
