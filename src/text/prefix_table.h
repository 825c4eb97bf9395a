// Which tokens begin at a place of a text: a sorted table of strings, narrowed byte by byte. Used to find
// special and user-defined tokens in prompts and by the Unigram lattice. Strings are copied. Texts longer
// than kLongestEntry are refused so that a hostile file cannot make a scan quadratic. Immutable after
// build(); thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace cistern::text {

class PrefixTable {
 public:
  static constexpr std::size_t kLongestEntry = 1024;  // bytes

  struct Match {
    std::size_t length = 0;  // 0: nothing begins here
    TokenId id = 0;
  };

  // Of equal texts the lowest id stays. REQUIRES: 0 < text.size() <= kLongestEntry.
  void add(std::string_view text, TokenId id) { entries_.push_back({std::string(text), id}); }
  void build();  // once, after the last add()

  bool empty() const { return entries_.empty(); }

  // False: certainly nothing begins with this byte.
  bool may_begin(char first) const {
    const auto byte = static_cast<unsigned char>(first);
    return first_[byte] != first_[byte + 1];
  }

  Match longest(std::string_view text) const {
    Match best;
    for_each(text, [&](std::size_t length, TokenId id) { best = {length, id}; });
    return best;
  }

  // Calls visit(length, id) for each entry that `text` begins with, the shortest first.
  template <class Visit>
  void for_each(std::string_view text, Visit&& visit) const {
    if (text.empty()) return;
    const auto byte = static_cast<unsigned char>(text[0]);
    std::size_t low = first_[byte], high = first_[byte + 1];
    for (std::size_t depth = 1; low < high; ++depth) {
      if (entries_[low].text.size() == depth) {  // the shorter one sorts first
        visit(depth, entries_[low].id);
        if (++low == high) return;
      }
      if (depth == text.size()) return;
      narrow(low, high, depth, static_cast<unsigned char>(text[depth]));
    }
  }

 private:
  struct Entry {
    std::string text;
    TokenId id;
  };
  // Keeps of [low, high) the entries whose byte at `depth` is `byte`; all of them are longer than `depth`.
  void narrow(std::size_t& low, std::size_t& high, std::size_t depth, unsigned char byte) const;

  std::vector<Entry> entries_;              // sorted as unsigned bytes, no duplicates
  std::array<std::uint32_t, 257> first_{};  // begin of the entries by first byte
};

}  // namespace cistern::text
