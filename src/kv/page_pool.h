// The pages that sequences share: rows of kPageTokens tokens each, of all layers that keep rows of every
// token. A layer's rows of all pages lie in one piece, page after page. Pages are counted: whoever takes or
// adds a reference drops it, and a page without any is free. Allocated once; committed by the system as pages
// are first written. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "kv/cache_shape.h"
#include "sys/buffer.h"

namespace cistern::kv {

using PageId = std::uint32_t;

class PagePool {
 public:
  // page_bytes(shape) for each page. kMemory when the system refuses; the errors of validate().
  static Result<PagePool> create(const CacheShape& shape, std::uint32_t n_pages);

  std::uint32_t size() const { return static_cast<std::uint32_t>(references_.size()); }
  std::uint32_t free_pages() const { return static_cast<std::uint32_t>(free_.size()); }

  // A page that nobody has, with one reference; the one given back last. Nothing: all are taken.
  std::optional<PageId> take();
  void add_reference(PageId page);
  void drop(PageId page);
  std::uint32_t references(PageId page) const { return references_[page]; }

  // All rows of one page into another.
  void copy(PageId from, PageId to);

  // Where the rows of a layer's first page begin; null for rows that it has not.
  struct Rows {
    std::byte* keys = nullptr;
    std::byte* values = nullptr;
    std::byte* index_keys = nullptr;
    std::byte* compressed_keys = nullptr;
  };
  Rows rows(std::uint32_t li) const { return rows_[li]; }

 private:
  // A part of the memory that has the same number of bytes for each page.
  struct Part {
    std::byte* begin = nullptr;
    std::uint64_t page_bytes = 0;
  };

  sys::Buffer buffer_;
  std::vector<Part> parts_;
  std::vector<Rows> rows_;                 // per layer
  std::vector<std::uint32_t> references_;  // per page
  std::vector<PageId> free_;
};

}  // namespace cistern::kv
