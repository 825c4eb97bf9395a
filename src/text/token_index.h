// From the text of a token to its id: a flat hash table over strings that somebody else owns. Built once when a
// tokenizer is made, then read by the merge loops, where it is the hottest lookup. Immutable after building;
// thread-safe to read. Also home of the string hash that the word cache shares.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace cistern::text {

inline constexpr TokenId kNoToken = 0xFFFFFFFF;

// Multiply-and-fold over eight bytes at a time.
inline std::uint64_t hash_text(std::string_view text) {
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t hash = 0x9E3779B97F4A7C15u ^ text.size();
  std::size_t pos = 0;
  for (; pos + 8 <= text.size(); pos += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + pos, 8);
    hash = fold(hash ^ word, 0xD6E8FEB86659FD93u);
  }
  if (pos < text.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + pos, text.size() - pos);
    hash = fold(hash ^ word, 0xA0761D6478BD642Fu);
  }
  return fold(hash, 0xE7037ED1A0B428DBu);
}

class TokenIndex {
 public:
  explicit TokenIndex(std::size_t capacity = 0);

  // The first token with a text keeps it. REQUIRES: `text` outlives the index; at most `capacity` insertions.
  bool insert(std::string_view text, TokenId id);

  TokenId find(std::string_view text) const {  // kNoToken if absent
    if (text.size() > longest_) return kNoToken;
    for (std::size_t slot = hash_text(text) & mask_;; slot = (slot + 1) & mask_) {
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
  std::size_t mask_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace cistern::text
