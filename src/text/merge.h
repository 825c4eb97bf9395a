// Greedy pair merging, the loop that all byte-pair tokenizers share: the neighbours whose merge has the
// lowest rank join, the leftmost of equals first, until no neighbours can. Short words scan an array; long
// ones use a heap, so that a megabyte without a space takes O(n log n). A Merger holds scratch memory for one
// thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "text/token_index.h"

namespace cistern::text {

struct Symbol {
  std::uint32_t begin = 0, length = 0;  // bytes of the word
  TokenId id = kNoToken;
};

struct Merge {
  std::uint32_t rank = 0xFFFFFFFF;  // kNoMerge: the two do not join
  TokenId id = kNoToken;
};
inline constexpr std::uint32_t kNoMerge = 0xFFFFFFFF;

class Merger {
 public:
  // The word's symbols: fill before run(), read after it.
  std::vector<Symbol> symbols;

  // find(left, right) -> Merge. REQUIRES: a pure function of the two symbols.
  template <class Find>
  void run(Find&& find) {
    if (symbols.size() < 2) return;
    if (symbols.size() <= kShortWord) {
      run_short(find);
    } else {
      run_long(find);
    }
  }

 private:
  static constexpr std::size_t kShortWord = 48;

  template <class Find>
  void run_short(Find& find) {
    merges_.clear();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) merges_.push_back(find(symbols[i], symbols[i + 1]));
    while (!merges_.empty()) {
      const auto lowest = std::min_element(merges_.begin(), merges_.end(),
                                           [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
      if (lowest->rank == kNoMerge) return;
      const auto i = static_cast<std::size_t>(lowest - merges_.begin());
      symbols[i].length += symbols[i + 1].length;
      symbols[i].id = lowest->id;
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      merges_.erase(lowest);
      if (i < merges_.size()) merges_[i] = find(symbols[i], symbols[i + 1]);
      if (i > 0) merges_[i - 1] = find(symbols[i - 1], symbols[i]);
    }
  }

  struct Candidate {
    std::uint32_t rank;
    std::uint32_t left, right;  // symbols
    std::uint32_t length;       // of both when the candidate was made: tells a stale one
    TokenId id;

    bool operator<(const Candidate& other) const {  // std heaps keep the largest on top
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  struct Neighbours {
    std::uint32_t previous, next;
  };
  static constexpr std::uint32_t kEdge = 0xFFFFFFFF;

  template <class Find>
  void propose(Find& find, std::uint32_t left, std::uint32_t right) {
    if (left == kEdge || right == kEdge) return;
    const Merge merge = find(symbols[left], symbols[right]);
    if (merge.rank == kNoMerge) return;
    heap_.push_back({merge.rank, left, right, symbols[left].length + symbols[right].length, merge.id});
    std::push_heap(heap_.begin(), heap_.end());
  }

  template <class Find>
  void run_long(Find& find) {
    const auto count = static_cast<std::uint32_t>(symbols.size());
    links_.resize(count);
    for (std::uint32_t i = 0; i < count; ++i)
      links_[i] = {i == 0 ? kEdge : i - 1, i + 1 == count ? kEdge : i + 1};
    heap_.clear();
    for (std::uint32_t i = 0; i + 1 < count; ++i) propose(find, i, i + 1);

    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end());
      const Candidate top = heap_.back();
      heap_.pop_back();
      Symbol &left = symbols[top.left], &right = symbols[top.right];
      if (left.length == 0 || right.length == 0 || left.length + right.length != top.length) continue;
      left.length = top.length;
      left.id = top.id;
      right.length = 0;
      const std::uint32_t after = links_[top.right].next;
      links_[top.left].next = after;
      if (after != kEdge) links_[after].previous = top.left;
      propose(find, links_[top.left].previous, top.left);
      propose(find, top.left, after);
    }
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
  }

  std::vector<Merge> merges_;  // of symbol i with i + 1
  std::vector<Candidate> heap_;
  std::vector<Neighbours> links_;
};

}  // namespace cistern::text
