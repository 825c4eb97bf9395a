#include "sample/penalties.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cistern::sample {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
using History = std::vector<text::TokenId>;

std::vector<float> penalized(std::vector<float> logits, const History& history,
                             const SamplerOptions& options) {
  std::vector<std::uint32_t> counts(logits.size());
  apply_penalties(logits, history, options, counts);
  for (const std::uint32_t count : counts) EXPECT_EQ(count, 0U);
  return logits;
}

TEST(Bias, AddsBansAndForces) {
  std::vector<float> logits = {1, 2, kInf, -kInf};
  const std::vector<std::pair<text::TokenId, float>> bias = {{0, 2.5F}, {0, -1}, {2, -kInf}, {3, kInf}};
  apply_bias(logits, bias);
  EXPECT_EQ(logits, (std::vector<float>{2.5F, 2, -kInf, kInf}));
}

TEST(Penalties, RepetitionDividesOrMultiplies) {
  EXPECT_EQ(penalized({4, -4, 4, 0}, {0, 1, 0, 3}, {.repetition_penalty = 2}),
            (std::vector<float>{2, -8, 4, 0}));
}

TEST(Penalties, PresenceOnceFrequencyPerOccurrence) {
  EXPECT_EQ(penalized({4, 4, 4}, {0, 0, 0, 1}, {.presence_penalty = 0.5F}),
            (std::vector<float>{3.5F, 3.5F, 4}));
  EXPECT_EQ(penalized({4, 4, 4}, {0, 0, 0, 1}, {.frequency_penalty = 0.5F}),
            (std::vector<float>{2.5F, 3.5F, 4}));
  EXPECT_EQ(
      penalized({4}, {0, 0}, {.repetition_penalty = 2, .presence_penalty = 1, .frequency_penalty = 0.25F}),
      (std::vector<float>{0.5F}));
}

TEST(Penalties, WindowLooksBackSoFar) {
  EXPECT_EQ(penalized({4, 4, 4}, {0, 1, 2}, {.repetition_penalty = 2, .penalty_window = 2}),
            (std::vector<float>{4, 2, 2}));
  EXPECT_EQ(penalized({4, 4}, {0, 1}, {.repetition_penalty = 2, .penalty_window = 0}),
            (std::vector<float>{4, 4}));
  EXPECT_EQ(penalized({4}, {}, {.repetition_penalty = 2}), (std::vector<float>{4}));
}

TEST(Penalties, InfiniteLogitsStayInfinite) {
  const auto out = penalized({kInf, -kInf}, {0, 1}, {.repetition_penalty = 1.5F, .presence_penalty = 1});
  EXPECT_EQ(out, (std::vector<float>{kInf, -kInf}));
}

}  // namespace
}  // namespace cistern::sample
