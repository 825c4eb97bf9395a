// Where a text can be cut before merging without changing the result: between two characters that stand side
// by side in no token. A merge across such a place would make a token that has them side by side. This is
// what lets SentencePiece-style vocabularies, which merge over whole texts, be processed word by word. Built
// once from the vocabulary; immutable, thread-safe.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cistern::text {

class Adjacency {
 public:
  // Collects the pairs of a token; then build() once.
  void add(std::string_view token);
  void build();

  // Whether some token has `left` directly before `right`.
  bool may_join(char32_t left, char32_t right) const {
    if (left < kSmall && right < kSmall) return small_[left * kSmall + right];
    return has_pair(left, right);
  }

 private:
  static constexpr std::size_t kSmall = 128;
  bool has_pair(char32_t left, char32_t right) const;

  std::bitset<kSmall * kSmall> small_;
  std::vector<std::uint64_t> pairs_;  // while collecting: a list; then an open hash table, 0 is free
  std::uint64_t seed_ = 0;
};

}  // namespace cistern::text
