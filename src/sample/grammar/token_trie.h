// The bytes behind the tokens of a vocabulary as a prefix tree in one array, in the order of a depth-first
// walk: what a mask is computed over. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "text/vocab.h"

namespace cistern::sample::grammar {

struct TokenTrie {
  struct Node {
    std::uint32_t end = 0;     // index behind the nodes below this one
    std::uint32_t tokens = 0;  // its tokens: from here in `tokens` to those of the next node
    std::uint16_t depth = 0;   // of its parent: bytes before its own
    std::uint8_t byte = 0;
  };
  std::vector<Node> nodes;  // and one behind the last
  std::vector<text::TokenId> tokens;
  std::size_t longest = 0;  // bytes of a token

  TokenTrie() = default;
  // REQUIRES: sorted by bytes, none empty or longer than 65535.
  explicit TokenTrie(const std::vector<std::pair<std::string_view, text::TokenId>>& sorted);
};

}  // namespace cistern::sample::grammar
