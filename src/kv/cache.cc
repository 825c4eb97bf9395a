#include "kv/cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace cistern::kv {

namespace {

LayerView view_of(const LayerShape& layer, const CacheShape& shape) {
  return {.shape = layer,
          .type = shape.type,
          .slots = slots_of(layer, shape),
          .key_row_bytes = key_row_bytes(layer, shape.type),
          .value_row_bytes = value_row_bytes(layer, shape.type),
          .index_row_bytes = index_row_bytes(layer, shape.type),
          .compressed_row_bytes = compressed_row_bytes(layer, shape.type)};
}

// The rows that are in no page and the state, in the memory from `next` on.
void place(LayerView& view, const CacheShape& shape, std::byte* next) {
  const auto take = [&next](std::uint64_t bytes) { return std::exchange(next, next + bytes); };
  if (view.pages == nullptr) {
    view.keys = take(view.slots * view.key_row_bytes);
    view.values = take(view.slots * view.value_row_bytes);
  }
  if (view.side_pages == nullptr) {
    const std::uint64_t side_slots = side_slots_of(view.shape, shape);
    view.index_keys = take(side_slots * view.index_row_bytes);
    view.compressed_keys = take(side_slots * view.compressed_row_bytes);
  }
  view.state = {reinterpret_cast<float*>(next), view.shape.state_floats};
  if (view.shape.values_in_keys) {
    view.values = view.keys;
    view.value_row_bytes = view.key_row_bytes;
  }
}

}  // namespace

LayerView LayerView::over(std::byte* rows, std::uint64_t n) const {
  LayerView view = *this;
  view.keys = view.values = rows;
  view.slots = static_cast<std::uint32_t>(n);
  view.shape.window = 0;
  view.pages = nullptr;
  return view;
}

Result<Cache> Cache::create(CacheShape shape) {
  CISTERN_TRY_VOID(validate(shape));
  Cache cache(std::move(shape));
  CISTERN_TRY(cache.buffer_, sys::Buffer::allocate(total_bytes(cache.shape_)));
  std::byte* next = cache.buffer_.bytes().data();
  for (const LayerShape& layer : cache.shape_.layers) {
    LayerView view = view_of(layer, cache.shape_);
    place(view, cache.shape_, next);
    if (!cache.shape_.transient) next += layer_bytes(layer, cache.shape_);
    cache.has_state_ |= layer.state_floats > 0;
    cache.layers_.push_back(view);
  }
  return cache;
}

Result<Cache> Cache::create(CacheShape shape, PagePool& pool) {
  CISTERN_TRY_VOID(validate(shape));
  CISTERN_CHECK(!shape.transient);
  Cache cache(std::move(shape));
  cache.pool_ = &pool;
  cache.table_.assign(pages_of(cache.shape_.context_tokens), 0);
  CISTERN_TRY(cache.buffer_, sys::Buffer::allocate(kv::own_bytes(cache.shape_)));
  std::byte* next = cache.buffer_.bytes().data();
  for (std::uint32_t li = 0; li < cache.shape_.layers.size(); ++li) {
    const LayerShape& layer = cache.shape_.layers[li];
    LayerView view = view_of(layer, cache.shape_);
    const PagePool::Rows rows = pool.rows(li);
    if (has_paged_rows(layer)) {
      view.pages = cache.table_.data();
      view.keys = rows.keys;
      view.values = rows.values;
    }
    if (has_paged_side_rows(layer)) {
      view.side_pages = cache.table_.data();
      view.index_keys = rows.index_keys;
      view.compressed_keys = rows.compressed_keys;
    }
    place(view, cache.shape_, next);
    next += kv::own_bytes(layer, cache.shape_);
    cache.has_state_ |= layer.state_floats > 0;
    cache.layers_.push_back(view);
  }
  return cache;
}

Cache::~Cache() {
  drop_pages(0);
}

bool Cache::reserve(std::uint32_t n_tokens) {
  if (pool_ == nullptr) return true;
  const std::uint32_t wanted = pages_of(std::uint64_t{length_} + n_tokens);
  CISTERN_CHECK(wanted <= table_.size());
  if (wanted <= n_pages_) return true;
  if (pool_->free_pages() < wanted - n_pages_) return false;
  while (n_pages_ < wanted) table_[n_pages_++] = *pool_->take();
  return true;
}

void Cache::replace_page(std::uint32_t i, PageId page) {
  CISTERN_CHECK(i < n_pages_);
  pool_->drop(std::exchange(table_[i], page));
}

void Cache::begin(std::span<const PageId> pages, std::uint32_t length, std::span<const std::byte> own) {
  CISTERN_CHECK(pool_ != nullptr && length_ == 0 && n_pages_ == 0);
  CISTERN_CHECK(pages.size() == pages_of(length) && pages.size() <= table_.size());
  CISTERN_CHECK(own.size() == own_bytes());
  std::ranges::copy(pages, table_.begin());
  n_pages_ = static_cast<std::uint32_t>(pages.size());
  std::ranges::copy(own, buffer_.bytes().begin());
  length_ = high_water_ = length;
}

void Cache::save_own(std::span<std::byte> own) const {
  CISTERN_CHECK(own.size() == own_bytes());
  std::ranges::copy(buffer_.bytes(), own.begin());
}

void Cache::drop_pages(std::uint32_t n_kept) {
  while (n_pages_ > n_kept) pool_->drop(table_[--n_pages_]);
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
    const bool nothing_overwritten = layer.shape.window == 0 || layer.slots >= high_water_;
    if (nothing_overwritten) continue;
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
  drop_pages(pages_of(length));
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
