// Guesses by repetition: where the last tokens stood before, what followed them then may follow again (Saxena
// 2023). An index of three tokens in a row finds the places; of the latest few, the one that agrees longest
// backwards is taken. Memory grows with the sequence, time per token does not.
#pragma once

#include <unordered_map>

#include "engine/drafter.h"

namespace cistern::engine {

class PromptLookup final : public Drafter {
 public:
  Result<std::span<const text::TokenId>> propose(const TokenHistory& history, std::uint32_t most) override;

 private:
  void learn(const TokenHistory& history);

  std::uint64_t edition_ = 0;  // of the history that the index knows
  // Of each position that it knows: where the same three tokens ended before; or none.
  std::vector<std::uint32_t> previous_;
  std::vector<text::TokenId> guesses_;
  std::unordered_map<std::uint64_t, std::uint32_t> latest_;  // three tokens, hashed -> where they ended last
};

}  // namespace cistern::engine
