#include "sample/grammar/token_trie.h"

#include <algorithm>

namespace cistern::sample::grammar {

TokenTrie::TokenTrie(const std::vector<std::pair<std::string_view, text::TokenId>>& sorted) {
  std::string_view before;
  std::vector<std::uint32_t> path;  // the nodes of `before`
  const auto close = [&](std::size_t depth) {
    for (; path.size() > depth; path.pop_back())
      nodes[path.back()].end = static_cast<std::uint32_t>(nodes.size());
  };
  for (const auto& [bytes, id] : sorted) {
    const auto differs = std::ranges::mismatch(before, bytes).in1;
    close(static_cast<std::size_t>(differs - before.begin()));
    while (path.size() < bytes.size()) {
      path.push_back(static_cast<std::uint32_t>(nodes.size()));
      nodes.push_back({.tokens = static_cast<std::uint32_t>(tokens.size()),
                       .depth = static_cast<std::uint16_t>(path.size() - 1),
                       .byte = static_cast<std::uint8_t>(bytes[path.size() - 1])});
    }
    tokens.push_back(id);
    longest = std::max(longest, bytes.size());
    before = bytes;
  }
  close(0);
  nodes.push_back({.tokens = static_cast<std::uint32_t>(tokens.size())});
}

}  // namespace cistern::sample::grammar
