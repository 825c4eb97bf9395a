#include "engine/prompt_lookup.h"

#include <algorithm>

namespace cistern::engine {
namespace {

constexpr std::size_t kGram = 3;
constexpr std::uint32_t kNone = ~std::uint32_t{0};
constexpr int kCandidates = 16;         // places that are compared
constexpr std::size_t kLongMatch = 64;  // tokens: no need to compare more

// Of the three tokens that end at `end`. Different ones may meet in the same place: matches are compared.
std::uint64_t hash_of(std::span<const text::TokenId> tokens, std::size_t end) {
  std::uint64_t hash = 0;
  for (std::size_t i = end + 1 - kGram; i <= end; ++i) hash = (hash ^ tokens[i]) * 0x9E3779B97F4A7C15U;
  return hash;
}

// How many tokens before and at `a` are the same as those at `b`.
std::size_t agreement(std::span<const text::TokenId> tokens, std::size_t a, std::size_t b) {
  std::size_t n = 0;
  while (n < kLongMatch && n <= a && tokens[a - n] == tokens[b - n]) ++n;
  return n;
}

}  // namespace

void PromptLookup::learn(const TokenHistory& history) {
  if (history.edition() != edition_) {
    edition_ = history.edition();
    previous_.clear();
    latest_.clear();
  }
  const std::span<const text::TokenId> tokens = history.tokens();
  for (std::size_t end = previous_.size(); end < tokens.size(); ++end) {
    previous_.push_back(kNone);
    // The last three tokens are what is looked for: they are not their own answer.
    if (end < kGram) continue;
    const auto [place, added] =
        latest_.try_emplace(hash_of(tokens, end - 1), static_cast<std::uint32_t>(end - 1));
    if (added) continue;
    previous_[end - 1] = place->second;
    place->second = static_cast<std::uint32_t>(end - 1);
  }
}

Result<std::span<const text::TokenId>> PromptLookup::propose(const TokenHistory& history,
                                                             std::uint32_t most) {
  learn(history);
  const std::span<const text::TokenId> tokens = history.tokens();
  if (tokens.size() < kGram) return std::span<const text::TokenId>();
  const std::size_t last = tokens.size() - 1;
  const auto found = latest_.find(hash_of(tokens, last));
  if (found == latest_.end()) return std::span<const text::TokenId>();
  std::size_t best = 0;
  std::size_t longest = kGram - 1;
  std::uint32_t place = found->second;
  for (int i = 0; i < kCandidates && place != kNone; ++i, place = previous_[place]) {
    const std::size_t length = agreement(tokens, place, last);
    if (length <= longest) continue;
    longest = length;
    best = place;
  }
  if (longest < kGram) return std::span<const text::TokenId>();
  // What followed; where that is the end, the guesses themselves go on: a short repetition goes round.
  const std::size_t period = last - best;
  guesses_.resize(most);
  for (std::size_t i = 0; i < most; ++i)
    guesses_[i] = i < period ? tokens[best + 1 + i] : guesses_[i - period];
  return guesses_;
}

}  // namespace cistern::engine
