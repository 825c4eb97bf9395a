// Remembers, within one call of encode, which ids a word became: natural text repeats its words. The cache
// points into the text and the output of the call, so it owns nothing but a table of bounded size. A newer
// word replaces an older one in the same slot. Not thread-safe (it belongs to one call).
#pragma once

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "text/token_index.h"

namespace cistern::text {

class WordCache {
 public:
  // REQUIRES: words are views into memory that outlives the cache; `out` only grows.
  WordCache(std::size_t text_bytes, std::vector<TokenId>& out)
      : slots_(std::bit_ceil(std::clamp<std::size_t>(text_bytes / 8, 1, kMaxSlots))), out_(out) {}

  // Appends the ids of `word`: copied from its last occurrence, else by calling encode().
  template <class Encode>
  auto append(std::string_view word, Encode&& encode) {
    if (word.size() > kLongestWord) return encode();
    Slot& slot = slots_[hash_text(word, 0) & (slots_.size() - 1)];
    if (slot.word == word) {
      for (std::uint32_t i = 0; i < slot.count; ++i) out_.push_back(out_[slot.first + i]);
      return decltype(encode())();
    }
    const std::size_t first = out_.size();
    auto result = encode();
    slot = {word, first, static_cast<std::uint32_t>(out_.size() - first)};
    return result;
  }

 private:
  static constexpr std::size_t kMaxSlots = 1 << 14;
  static constexpr std::size_t kLongestWord = 64;  // bytes

  struct Slot {
    std::string_view word;  // empty: free
    std::size_t first = 0;
    std::uint32_t count = 0;
  };
  std::vector<Slot> slots_;
  std::vector<TokenId>& out_;
};

}  // namespace cistern::text
