#include "text/token_index.h"

#include <algorithm>
#include <bit>

namespace cistern::text {

TokenIndex::TokenIndex(std::size_t capacity)
    : entries_(std::bit_ceil(capacity * 2 + 2)),
      seed_(seed_from(entries_.data())),
      mask_(entries_.size() - 1) {}

bool TokenIndex::insert(std::string_view text, TokenId id) {
  std::size_t slot = hash_text(text, seed_) & mask_;
  for (; entries_[slot].id != kNoToken; slot = (slot + 1) & mask_) {
    if (entries_[slot].text == text) return false;
  }
  entries_[slot] = {text, id};
  longest_ = std::max(longest_, text.size());
  return true;
}

}  // namespace cistern::text
