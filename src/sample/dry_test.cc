#include "sample/dry.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace cistern::sample {
namespace {

using History = std::vector<text::TokenId>;

std::vector<float> penalties(const SamplerOptions& options, const History& history, std::uint32_t n_vocab) {
  Dry dry(options, n_vocab);
  std::vector<float> logits(n_vocab, 0.0F);
  dry.apply(logits, history);
  for (float& x : logits) x = -x;
  return logits;
}

// The definition, cubic: for every token, the longest n such that the last n tokens of the text, which hold
// no end of a breaker, stand somewhere before that token.
std::vector<float> reference(const SamplerOptions& options, History history, std::uint32_t n_vocab) {
  if (options.dry_window != 0 && history.size() > options.dry_window) {
    history.erase(history.begin(), history.end() - options.dry_window);
  }
  const std::size_t size = history.size();
  std::size_t limit = size;
  for (const auto& breaker : options.dry_breakers) {
    for (std::size_t end = breaker.size(); end <= size; ++end) {
      if (std::equal(breaker.begin(), breaker.end(),
                     history.begin() + static_cast<long>(end - breaker.size()))) {
        limit = std::min(limit, size - end);
      }
    }
  }
  std::vector<float> out(n_vocab, 0.0F);
  for (std::size_t at = 1; at < size; ++at) {  // history[at] followed a repetition of length n
    std::size_t n = 0;
    while (n < limit && n < at && history[at - 1 - n] == history[size - 1 - n]) ++n;
    if (n == 0 || n < options.dry_allowed_length) continue;
    const float penalty = options.dry_multiplier *
                          std::pow(options.dry_base, static_cast<float>(n - options.dry_allowed_length));
    out[history[at]] = std::max(out[history[at]], penalty);
  }
  return out;
}

TEST(Dry, PenalizesTheContinuationOfARepetition) {
  // "1 2 3 4 ... 1 2 3": 4 would repeat a sequence of three.
  const auto out = penalties({.dry_multiplier = 1, .dry_base = 2}, {1, 2, 3, 4, 5, 1, 2, 3}, 8);
  EXPECT_EQ(out, (std::vector<float>{0, 0, 0, 0, 2, 0, 0, 0}));
}

TEST(Dry, ShortRepetitionsAreFree) {
  const auto out = penalties({.dry_multiplier = 1, .dry_allowed_length = 4}, {1, 2, 3, 4, 5, 1, 2, 3}, 8);
  EXPECT_EQ(out, std::vector<float>(8, 0.0F));
}

TEST(Dry, BreakersEndARepetition) {
  const SamplerOptions single{.dry_multiplier = 1, .dry_base = 2, .dry_breakers = {{2}}};
  EXPECT_EQ(penalties(single, {1, 2, 3, 4, 5, 1, 2, 3}, 8), std::vector<float>(8, 0.0F));
  const SamplerOptions pair{.dry_multiplier = 1, .dry_base = 2, .dry_breakers = {{5, 1}}};
  EXPECT_EQ(penalties(pair, {1, 2, 3, 4, 5, 1, 2, 3}, 8)[4], 1);  // only "2 3" counts
}

TEST(Dry, WindowLimitsTheView) {
  const SamplerOptions options{.dry_multiplier = 1, .dry_base = 2, .dry_window = 4};
  EXPECT_EQ(penalties(options, {1, 2, 3, 4, 5, 1, 2, 3}, 8), std::vector<float>(8, 0.0F));
}

TEST(Dry, OffAndTrivialHistories) {
  EXPECT_EQ(penalties({}, {1, 1, 1, 1, 1}, 4), std::vector<float>(4, 0.0F));
  EXPECT_EQ(penalties({.dry_multiplier = 1}, {}, 4), std::vector<float>(4, 0.0F));
  EXPECT_EQ(penalties({.dry_multiplier = 1}, {1}, 4), std::vector<float>(4, 0.0F));
}

TEST(Dry, VeryLongRepetitionsStayFinite) {
  const auto out = penalties({.dry_multiplier = 1, .dry_base = 2}, History(5000, 1), 4);
  EXPECT_TRUE(std::isfinite(out[1]));
  EXPECT_GT(out[1], 1e30F);
}

TEST(Dry, AgreesWithTheDefinition) {
  Rng rng(11);
  for (int round = 0; round < 500; ++round) {
    SamplerOptions options{.dry_multiplier = 0.5F, .dry_base = 1.5F};
    options.dry_allowed_length = static_cast<std::uint32_t>(rng.next() % 4);
    options.dry_window = rng.next() % 2 == 0 ? 0 : static_cast<std::uint32_t>(1 + rng.next() % 40);
    if (rng.next() % 2 == 0) options.dry_breakers = {{4}, {0, 1, 2}};
    History history(rng.next() % 60);
    for (auto& id : history) id = static_cast<text::TokenId>(rng.next() % 5);
    const auto expected = reference(options, history, 5);
    const auto actual = penalties(options, history, 5);
    for (std::size_t id = 0; id < 5; ++id) {
      ASSERT_NEAR(actual[id], expected[id], 1e-4F * std::max(1.0F, expected[id]))
          << "round " << round << " id " << id;
    }
  }
}

}  // namespace
}  // namespace cistern::sample
