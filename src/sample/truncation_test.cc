#include "sample/truncation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/rng.h"

namespace cistern::sample {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// Candidates 0, 1, 2, ... with these probabilities.
Candidates with_probabilities(const std::vector<double>& probabilities) {
  Candidates list;
  for (const double p : probabilities) {
    list.push_back({.id = static_cast<text::TokenId>(list.size()), .logit = static_cast<float>(std::log(p))});
  }
  return list;
}

std::vector<text::TokenId> ids(const Candidates& list) {
  std::vector<text::TokenId> out;
  for (const Candidate& c : list) out.push_back(c.id);
  return out;
}

std::set<text::TokenId> id_set(const Candidates& list) {
  std::set<text::TokenId> out;
  for (const Candidate& c : list) out.insert(c.id);
  return out;
}

std::vector<float> random_logits(std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> logits(count);
  // Few distinct values, so that ties are common.
  for (float& x : logits) x = static_cast<float>(std::floor(rng.uniform() * 200) / 20 - 5);
  return logits;
}

using Ids = std::vector<text::TokenId>;

TEST(Softmax, KnownValues) {
  Candidates list = with_probabilities({0.5, 0.25, 0.125, 0.125});
  softmax(list);
  EXPECT_NEAR(list[0].p, 0.5, 1e-7);
  EXPECT_NEAR(list[1].p, 0.25, 1e-7);
  EXPECT_NEAR(list[3].p, 0.125, 1e-7);
}

TEST(Softmax, HugeAndInfiniteLogits) {
  Candidates list = {{.id = 0, .logit = 3e38F}, {.id = 1, .logit = -3e38F}, {.id = 2, .logit = 3e38F}};
  softmax(list);
  EXPECT_EQ(list[0].p, 0.5);
  EXPECT_EQ(list[1].p, 0.0);
  list = {{.id = 0, .logit = kInf}, {.id = 1, .logit = 1}, {.id = 2, .logit = -kInf}};
  softmax(list);
  EXPECT_EQ(list[0].p, 1.0);
  EXPECT_EQ(list[1].p, 0.0);
  list = {{.id = 0, .logit = -kInf}, {.id = 1, .logit = -kInf}};
  softmax(list);
  EXPECT_EQ(list[0].p, 0.5);
  EXPECT_EQ(list[1].p, 0.5);
}

TEST(TopK, TakesTheHighestInOrder) {
  Candidates list;
  take_top_k(std::vector<float>{1, 5, 3, 5, -2, kInf}, 3, list);
  EXPECT_EQ(ids(list), (Ids{5, 1, 3}));
}

TEST(TopK, ZeroOrLargeTakesAll) {
  Candidates list;
  take_top_k(std::vector<float>{1, 5, 3}, 0, list);
  EXPECT_EQ(ids(list), (Ids{0, 1, 2}));
  take_top_k(std::vector<float>{1, 5, 3}, 3, list);
  EXPECT_EQ(ids(list), (Ids{0, 1, 2}));
  take_top_k(std::vector<float>{7}, 40, list);
  EXPECT_EQ(ids(list), (Ids{0}));
}

TEST(TopK, AgreesWithSortingEverything) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto logits = random_logits(5000, seed);
    Candidates all;
    take_top_k(logits, 0, all);
    std::sort(all.begin(), all.end(), higher_logit);
    for (const std::uint32_t k : {1U, 2U, 40U, 1000U, 4999U}) {
      Candidates list;
      take_top_k(logits, k, list);
      const Candidates expected(all.begin(), all.begin() + k);
      ASSERT_EQ(ids(list), ids(expected)) << "seed " << seed << " k " << k;
    }
  }
}

TEST(TopP, KeepsTheShortestNucleus) {
  const std::vector<double> p = {0.1, 0.4, 0.2, 0.3};
  for (const auto& [top_p, expected] : std::vector<std::pair<float, Ids>>{
           {0.0F, {1}}, {0.39F, {1}}, {0.5F, {1, 3}}, {0.75F, {1, 3, 2}}, {0.95F, {1, 3, 2, 0}}}) {
    Candidates list = with_probabilities(p);
    keep_top_p(list, top_p);
    EXPECT_EQ(ids(list), expected) << top_p;
  }
  Candidates untouched = with_probabilities(p);
  keep_top_p(untouched, 1.0F);
  EXPECT_EQ(ids(untouched), (Ids{0, 1, 2, 3}));
}

TEST(TopP, AgreesWithSortingEverything) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (const float top_p : {0.01F, 0.3F, 0.9F, 0.999F}) {
      Candidates list;
      take_top_k(random_logits(3000, seed), 0, list);
      Candidates expected = list;
      softmax(expected);
      std::sort(expected.begin(), expected.end(), higher_logit);
      double sum = 0;
      std::size_t count = 0;
      while (count < expected.size() && sum < static_cast<double>(top_p)) sum += expected[count++].p;
      expected.resize(count);
      keep_top_p(list, top_p);
      ASSERT_EQ(ids(list), ids(expected)) << "seed " << seed << " top_p " << top_p;
    }
  }
}

TEST(MinP, ComparesWithTheLikeliest) {
  Candidates list = with_probabilities({0.05, 0.5, 0.01, 0.3, 0.14});
  keep_min_p(list, 0.25F);  // at least 0.125
  EXPECT_EQ(ids(list), (Ids{1, 3, 4}));
  keep_min_p(list, 1.0F);
  EXPECT_EQ(ids(list), (Ids{1}));
  list = with_probabilities({0.5, 1e-30});
  keep_min_p(list, 0.0F);
  EXPECT_EQ(list.size(), 2U);
}

TEST(MinP, InfiniteLogits) {
  Candidates list = {{.id = 0, .logit = 2}, {.id = 1, .logit = kInf}};
  keep_min_p(list, 0.1F);
  EXPECT_EQ(ids(list), (Ids{1}));
  list = {{.id = 0, .logit = -kInf}, {.id = 1, .logit = -kInf}};
  keep_min_p(list, 0.1F);
  EXPECT_EQ(list.size(), 2U);
}

TEST(Typical, DropsTheTooCertainToo) {
  // Entropy 1.48 nats; surprises 0.69, 1.90, 2.30, 2.30, 2.81, 2.41: the second is nearest (0.42 off), then
  // the first (0.78), the third and the fourth (0.83).
  Candidates list = with_probabilities({0.5, 0.15, 0.1, 0.1, 0.06, 0.09});
  Candidates expected = list;
  softmax(expected);
  double entropy = 0;
  for (const Candidate& c : expected) entropy -= c.p * std::log(c.p);
  const auto key = [entropy](const Candidate& c) {
    return std::pair(std::round(std::abs(-std::log(c.p) - entropy) * 1e6), c.id);  // equal ones by id
  };
  std::sort(expected.begin(), expected.end(),
            [key](const Candidate& a, const Candidate& b) { return key(a) < key(b); });
  EXPECT_EQ(expected.front().id, 1U);
  keep_typical(list, 0.1F);
  EXPECT_EQ(ids(list), (Ids{1}));
  list = with_probabilities({0.5, 0.15, 0.1, 0.1, 0.06, 0.09});
  keep_typical(list, 0.6F);
  EXPECT_EQ(ids(list), (Ids{expected[0].id, expected[1].id}));
}

TEST(Typical, AgreesWithTheDefinition) {
  Rng rng(5);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> p(500);
    for (double& x : p) x = std::pow(rng.uniform(), 8) + 1e-9;
    Candidates list = with_probabilities(p);
    Candidates expected = list;
    softmax(expected);
    double entropy = 0;
    for (const Candidate& c : expected) entropy -= c.p * std::log(c.p);
    std::sort(expected.begin(), expected.end(), [entropy](const Candidate& a, const Candidate& b) {
      return std::abs(-std::log(a.p) - entropy) < std::abs(-std::log(b.p) - entropy);
    });
    double sum = 0;
    std::size_t count = 0;
    while (sum < 0.7) sum += expected[count++].p;
    expected.resize(count);
    keep_typical(list, 0.7F);
    ASSERT_EQ(id_set(list), id_set(expected)) << "round " << round;
  }
}

TEST(Typical, OffAndDegenerate) {
  Candidates list = with_probabilities({0.9, 0.1});
  keep_typical(list, 1.0F);
  EXPECT_EQ(list.size(), 2U);
  list = {{.id = 0, .logit = kInf}, {.id = 1, .logit = 0}};
  keep_typical(list, 0.5F);
  EXPECT_EQ(list.size(), 2U);
  list = with_probabilities({1.0});
  keep_typical(list, 0.0F);
  EXPECT_EQ(list.size(), 1U);
}

TEST(Xtc, KeepsTheLeastLikelyTopChoice) {
  Candidates list = with_probabilities({0.4, 0.3, 0.2, 0.08, 0.02});
  exclude_top_choices(list, 0.15F);
  EXPECT_EQ(ids(list), (Ids{2, 3, 4}));
}

TEST(Xtc, OneOrNoneAboveTheThreshold) {
  Candidates list = with_probabilities({0.7, 0.1, 0.2});
  exclude_top_choices(list, 0.5F);
  EXPECT_EQ(list.size(), 3U);
  exclude_top_choices(list, 0.9F);
  EXPECT_EQ(list.size(), 3U);
  list = with_probabilities({1.0});
  exclude_top_choices(list, 0.1F);
  EXPECT_EQ(list.size(), 1U);
}

TEST(LazySorter, SortsAsFarAsAsked) {
  Candidates list;
  take_top_k(random_logits(10000, 3), 0, list);
  Candidates sorted = list;
  std::sort(sorted.begin(), sorted.end(), higher_logit);
  LazySorter sorter(list, higher_logit);
  for (const std::size_t i : {0U, 63U, 64U, 600U, 5000U, 9999U})
    EXPECT_EQ(sorter.at(i).id, sorted[i].id) << i;
}

}  // namespace
}  // namespace cistern::sample
