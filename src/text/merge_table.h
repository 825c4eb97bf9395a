// The merges of a byte-pair vocabulary by the ids of the two parts: (left, right) -> (rank, merged id). A
// flat hash table, built once from tokenizer.ggml.merges, then read for every pair of neighbours. Immutable
// after building.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "text/merge.h"

namespace cistern::text {

class MergeTable {
 public:
  explicit MergeTable(std::size_t capacity = 0)
      : entries_(std::bit_ceil(capacity * 2 + 2)),
        seed_(seed_from(entries_.data())),
        mask_(entries_.size() - 1) {}

  // A later merge of the same pair replaces the earlier one. REQUIRES: at most `capacity` pairs.
  void insert(TokenId left, TokenId right, Merge merge) {
    entries_[slot_of(left, right)] = {left, right, merge};
  }

  Merge find(TokenId left, TokenId right) const { return entries_[slot_of(left, right)].merge; }

 private:
  struct Entry {
    TokenId left = kNoToken, right = kNoToken;
    Merge merge;
  };
  // The slot of the pair, or the empty one where it would be.
  std::size_t slot_of(TokenId left, TokenId right) const {
    const std::uint64_t key = ((std::uint64_t{left} << 32) | right) ^ seed_;
    std::size_t slot = fold(key, 0xD6E8FEB86659FD93u) & mask_;
    while (entries_[slot].left != kNoToken &&
           (entries_[slot].left != left || entries_[slot].right != right)) {
      slot = (slot + 1) & mask_;
    }
    return slot;
  }

  std::vector<Entry> entries_;
  std::uint64_t seed_;  // as in TokenIndex
  std::size_t mask_;
};

}  // namespace cistern::text
