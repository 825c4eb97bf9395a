#include "kv/cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace cistern::kv {

Result<Cache> Cache::create(CacheShape shape) {
  CISTERN_TRY_VOID(validate(shape));
  Cache cache;
  CISTERN_TRY(cache.buffer_, sys::Buffer::allocate(total_bytes(shape)));
  std::byte* next = cache.buffer_.bytes().data();
  for (const LayerShape& layer : shape.layers) {
    LayerView view{.shape = layer,
                   .type = shape.type,
                   .slots = slots_of(layer, shape),
                   .keys = next,
                   .key_row_bytes = key_row_bytes(layer, shape.type),
                   .value_row_bytes = value_row_bytes(layer, shape.type),
                   .index_row_bytes = index_row_bytes(layer, shape.type),
                   .compressed_row_bytes = compressed_row_bytes(layer, shape.type)};
    view.values = view.keys + view.slots * view.key_row_bytes;
    view.index_keys = view.values + view.slots * view.value_row_bytes;
    const std::uint64_t side_slots = side_slots_of(layer, shape);
    view.compressed_keys = view.index_keys + side_slots * view.index_row_bytes;
    view.state = {reinterpret_cast<float*>(view.compressed_keys + side_slots * view.compressed_row_bytes),
                  layer.state_floats};
    if (layer.values_in_keys) {
      view.values = view.keys;
      view.value_row_bytes = view.key_row_bytes;
    }
    if (!shape.transient) next += layer_bytes(layer, shape);
    cache.has_state_ |= layer.state_floats > 0;
    cache.layers_.push_back(view);
  }
  cache.shape_ = std::move(shape);
  return cache;
}

void Cache::advance(std::uint32_t n_tokens) {
  CISTERN_CHECK(n_tokens <= shape_.context_tokens - length_);
  length_ += n_tokens;
  high_water_ = std::max(high_water_, length_);
}

bool Cache::can_truncate(std::uint32_t length) const {
  if (length > length_) return false;
  if (length == 0 || length == length_) return true;
  for (const LayerView& layer : layers_) {
    if (!layer.state.empty()) return false;
    if (layer.slots >= high_water_) continue;  // nothing was overwritten yet
    // The next query, at position `length`, sees window - 1 positions before it.
    const std::uint32_t oldest_held = high_water_ - layer.slots;
    const std::uint32_t seen = layer.shape.window - 1;
    const std::uint32_t oldest_seen = length > seen ? length - seen : 0;
    if (oldest_seen < oldest_held) return false;
  }
  return true;
}

void Cache::truncate(std::uint32_t length) {
  CISTERN_CHECK(can_truncate(length));
  length_ = length;
  if (length > 0) return;
  high_water_ = 0;
  for (const LayerView& layer : layers_) std::ranges::fill(layer.state, 0.0F);
}

void Cache::save(Checkpoint& checkpoint) const {
  checkpoint.length = length_;
  checkpoint.states.clear();
  for (const LayerView& layer : layers_)
    checkpoint.states.insert(checkpoint.states.end(), layer.state.begin(), layer.state.end());
}

void Cache::restore(const Checkpoint& checkpoint) {
  CISTERN_CHECK(checkpoint.length <= length_);
  const float* next = checkpoint.states.data();
  for (const LayerView& layer : layers_) {
    std::copy_n(next, layer.state.size(), layer.state.begin());
    next += layer.state.size();
  }
  length_ = checkpoint.length;
}

}  // namespace cistern::kv
