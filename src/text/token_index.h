// From the text of a token to its id: a flat hash table over strings that somebody else owns. Built once when
// a tokenizer is made, then read by the merge loops, where it is the hottest lookup. Immutable after
// building; thread-safe to read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/hash.h"
#include "text/vocab.h"

namespace cistern::text {

inline constexpr TokenId kNoToken = 0xFFFFFFFF;

class TokenIndex {
 public:
  explicit TokenIndex(std::size_t capacity = 0);

  // The first token with a text keeps it. REQUIRES: `text` outlives the index; at most `capacity` insertions.
  bool insert(std::string_view text, TokenId id);

  TokenId find(std::string_view text) const {  // kNoToken if absent
    if (text.size() > longest_) return kNoToken;
    for (std::size_t slot = hash_text(text, seed_) & mask_;; slot = (slot + 1) & mask_) {
      const Entry& entry = entries_[slot];
      if (entry.id == kNoToken || entry.text == text) return entry.id;
    }
  }

 private:
  struct Entry {
    std::string_view text;
    TokenId id = kNoToken;
  };
  std::vector<Entry> entries_;
  std::uint64_t seed_ =
      0;  // the address of the table: random where addresses are, and no result depends on it
  std::size_t mask_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace cistern::text
