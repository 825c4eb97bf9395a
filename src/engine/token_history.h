// The tokens that guesses are made from. It grows at its end, token by token; a text that is another, or
// begins elsewhere, is a new edition. So whoever learns from it need not compare what it has learned. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/vocab.h"

namespace cistern::engine {

class TokenHistory {
 public:
  void start(std::span<const text::TokenId> tokens) {
    tokens_.assign(tokens.begin(), tokens.end());
    ++edition_;
  }
  void append(text::TokenId token) { tokens_.push_back(token); }

  std::span<const text::TokenId> tokens() const { return tokens_; }
  // Of the same edition, what was there before is there still.
  std::uint64_t edition() const { return edition_; }

 private:
  std::vector<text::TokenId> tokens_;
  std::uint64_t edition_ = 0;
};

}  // namespace cistern::engine
