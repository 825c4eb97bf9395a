#include "kv/page_pool.h"

#include <cstring>

#include "base/check.h"

namespace cistern::kv {

Result<PagePool> PagePool::create(const CacheShape& shape, std::uint32_t n_pages) {
  CISTERN_TRY_VOID(validate(shape));
  CISTERN_CHECK(!shape.transient);
  PagePool pool;
  CISTERN_TRY(pool.buffer_, sys::Buffer::allocate(page_bytes(shape) * n_pages));
  std::byte* next = pool.buffer_.bytes().data();
  const auto take = [&](std::uint64_t rows, std::uint64_t row_bytes) {
    std::byte* begin = next;
    pool.parts_.push_back({begin, rows * row_bytes});
    next += rows * row_bytes * n_pages;
    return begin;
  };
  for (const LayerShape& layer : shape.layers) {
    Rows rows;
    if (has_paged_rows(layer)) {
      rows.keys = take(kPageTokens, key_row_bytes(layer, shape.type));
      rows.values = layer.values_in_keys ? rows.keys : take(kPageTokens, value_row_bytes(layer, shape.type));
    }
    if (has_paged_side_rows(layer)) {
      const std::uint64_t n = kPageTokens / layer.compress_ratio;
      rows.index_keys = take(n, index_row_bytes(layer, shape.type));
      rows.compressed_keys = take(n, compressed_row_bytes(layer, shape.type));
    }
    pool.rows_.push_back(rows);
  }
  pool.references_.assign(n_pages, 0);
  for (PageId page = n_pages; page > 0; --page) pool.free_.push_back(page - 1);
  return pool;
}

std::optional<PageId> PagePool::take() {
  if (free_.empty()) return std::nullopt;
  const PageId page = free_.back();
  free_.pop_back();
  references_[page] = 1;
  return page;
}

void PagePool::add_reference(PageId page) {
  CISTERN_CHECK(references_[page] > 0);
  ++references_[page];
}

void PagePool::drop(PageId page) {
  CISTERN_CHECK(references_[page] > 0);
  if (--references_[page] == 0) free_.push_back(page);
}

void PagePool::copy(PageId from, PageId to) {
  for (const Part& part : parts_)
    std::memcpy(part.begin + to * part.page_bytes, part.begin + from * part.page_bytes, part.page_bytes);
}

}  // namespace cistern::kv
