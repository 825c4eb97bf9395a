#include "sample/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cistern::sample {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Candidates with_probabilities(const std::vector<double>& probabilities) {
  Candidates list;
  for (const double p : probabilities) {
    list.push_back({.id = static_cast<text::TokenId>(list.size()), .logit = static_cast<float>(std::log(p))});
  }
  return list;
}

TEST(Greedy, HighestLowestIdOnTies) {
  EXPECT_EQ(greedy(std::vector<float>{1, 3, 3, 2}), 1U);
  EXPECT_EQ(greedy(std::vector<float>{kNan, -5, kNan}), 1U);
  EXPECT_EQ(greedy(std::vector<float>{-kInf, -kInf}), 0U);
  EXPECT_EQ(greedy(std::vector<float>{1, kInf, 2}), 1U);
  EXPECT_EQ(greedy(std::vector<float>{kNan}), 0U);
}

TEST(Temperature, ScalesDifferences) {
  Candidates list = {{.id = 0, .logit = 3}, {.id = 1, .logit = 1}};
  apply_temperature(list, 0.5F);
  EXPECT_EQ(list[0].logit - list[1].logit, 4);
}

TEST(Temperature, TinyIsLikeGreedyHugeIsEven) {
  Candidates list = {{.id = 0, .logit = 3}, {.id = 1, .logit = 2.9999F}, {.id = 2, .logit = -kInf}};
  apply_temperature(list, 1e-38F);
  softmax(list);
  EXPECT_EQ(list[0].p, 1.0);
  list = {{.id = 0, .logit = 30}, {.id = 1, .logit = 2}};
  apply_temperature(list, 3e38F);
  softmax(list);
  EXPECT_NEAR(list[0].p, 0.5, 1e-12);
  list = {{.id = 0, .logit = kInf}, {.id = 1, .logit = 2}};
  apply_temperature(list, 1);
  softmax(list);
  EXPECT_EQ(list[0].p, 1.0);
}

TEST(Draw, FollowsTheProbabilities) {
  const std::vector<double> p = {0.5, 0.25, 0.125, 0.1, 0.025};
  Rng rng(2026);
  std::vector<int> counts(p.size());
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    Candidates list = with_probabilities(p);
    ++counts[draw(list, rng).id];
  }
  double chi_square = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double expected = p[i] * kDraws;
    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 18.5);  // 4 degrees of freedom, p = 0.001
}

TEST(Draw, NeverTheImpossible) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    Candidates list = {{.id = 0, .logit = -kInf}, {.id = 1, .logit = 0}, {.id = 2, .logit = -kInf}};
    ASSERT_EQ(draw(list, rng).id, 1U);
  }
}

TEST(Mirostat, CutsWhatIsTooSurprising) {
  // mu = 2 bits: probabilities below 1/4 are removed, so only 0 can be drawn.
  MirostatState state{.mu = 2};
  Rng rng(3);
  for (int i = 0; i < 100; ++i) {
    Candidates list = with_probabilities({0.6, 0.2, 0.2});
    state.mu = 2;
    ASSERT_EQ(draw_mirostat(list, 3, 0.1F, state, rng), 0U);
    // Surprise of 0.6 is 0.737 bits: mu moves by 0.1 * (3 - 0.737).
    ASSERT_NEAR(state.mu, 2 + 0.1 * (3 + std::log2(0.6)), 1e-6);
  }
}

TEST(Mirostat, KeepsTheBestWhateverTheTarget) {
  MirostatState state{.mu = -50};
  Rng rng(3);
  Candidates list = with_probabilities({0.2, 0.5, 0.3});
  EXPECT_EQ(draw_mirostat(list, 0, 0, state, rng), 1U);
  list = {{.id = 0, .logit = kInf}, {.id = 1, .logit = 0}};
  EXPECT_EQ(draw_mirostat(list, 5, 0.1F, state, rng), 0U);
  EXPECT_TRUE(std::isfinite(state.mu));
}

TEST(Mirostat, MeanSurpriseApproachesTau) {
  std::vector<double> zipf;
  for (int rank = 1; rank <= 2000; ++rank) zipf.push_back(1.0 / rank);
  double total = 0;
  for (const double x : zipf) total += x;
  const Candidates all = with_probabilities(zipf);
  MirostatState state{.mu = 6};
  Rng rng(9);
  double surprise = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    Candidates list = all;
    surprise -= std::log2(zipf[draw_mirostat(list, 3, 0.1F, state, rng)] / total);
  }
  EXPECT_NEAR(surprise / kDraws, 3.0, 0.1);
}

}  // namespace
}  // namespace cistern::sample
