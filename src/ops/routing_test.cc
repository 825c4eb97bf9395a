// Routing against plain double arithmetic for each rule, its edges (ties, groups, scores that are no
// numbers), and the sorting and joining of rows; the same bits for any threads.
#include "ops/routing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "ops/op_test.h"

namespace cistern::ops {
namespace {

using Floats = std::vector<float>;
using Ids = std::vector<std::uint32_t>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Chosen {
  Ids experts;
  Floats weights;
  bool operator==(const Chosen&) const = default;
};

Chosen choose(const RoutingRule& rule, Floats scores, std::uint64_t n_experts, int threads = 1) {
  const std::size_t n = scores.size() / n_experts * rule.n_used;
  Chosen chosen{Ids(n), Floats(n)};
  choose_experts(Machine(threads).exec, rule, view(scores, n_experts), {chosen.experts, chosen.weights});
  return chosen;
}

std::vector<double> softmax(const std::vector<double>& x) {
  std::vector<double> result;
  double sum = 0;
  for (const double v : x) sum += result.emplace_back(std::exp(v));
  for (double& v : result) v /= sum;
  return result;
}

std::vector<double> scores_of(Gating gating, const float* logits, std::size_t n) {
  std::vector<double> x(logits, logits + n);
  if (gating == Gating::kSoftmax) return softmax(x);
  for (double& v : x) {
    if (gating == Gating::kSigmoid) v = 1 / (1 + std::exp(-v));
    if (gating == Gating::kSqrtSoftplus) v = std::sqrt(std::log1p(std::exp(v)));
  }
  return x;
}

// Experts in the order of their scores, the best first.
Ids ranking(const std::vector<double>& scores) {
  Ids order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::uint32_t e) { return scores[e]; });
  return order;
}

TEST(Routing, follows_the_formula_of_each_gating) {
  constexpr std::size_t kExperts = 13, kTokens = 9;
  const Floats logits = random_values(kExperts * kTokens, 1, 4);
  const Floats bias = random_values(kExperts, 2);
  for (const Gating gating :
       {Gating::kSoftmax, Gating::kSigmoid, Gating::kSqrtSoftplus, Gating::kSoftmaxOfChosen}) {
    for (const bool normalize : {false, true}) {
      for (const bool biased : {false, true}) {
        for (const std::uint32_t n_used : {1U, 4U, 13U}) {
          const RoutingRule rule{.gating = gating,
                                 .n_used = n_used,
                                 .normalize = normalize,
                                 .scale = 2.5F,
                                 .selection_bias = biased ? bias.data() : nullptr};
          const Chosen chosen = choose(rule, logits, kExperts);
          for (std::size_t t = 0; t < kTokens; ++t) {
            const std::vector<double> scores = scores_of(gating, &logits[t * kExperts], kExperts);
            std::vector<double> selection = scores;
            for (std::size_t e = 0; biased && e < kExperts; ++e) selection[e] += bias[e];
            const Ids order = ranking(selection);
            std::vector<double> weights;
            for (std::uint32_t i = 0; i < n_used; ++i) weights.push_back(scores[order[i]]);
            if (gating == Gating::kSoftmaxOfChosen) weights = softmax(weights);
            const double sum = normalize ? std::accumulate(weights.begin(), weights.end(), 0.0) : 1;
            for (std::uint32_t i = 0; i < n_used; ++i) {
              EXPECT_EQ(chosen.experts[t * n_used + i], order[i]);
              EXPECT_NEAR(chosen.weights[t * n_used + i], 2.5 * weights[i] / sum, 1e-5);
            }
          }
          for (const int threads : {2, 3, 7}) EXPECT_EQ(choose(rule, logits, kExperts, threads), chosen);
        }
      }
    }
  }
}

// Liu et al. 2023, with the published jitter of 0.01.
TEST(Routing, sparse_mixer_weighs_each_choice_by_the_scores_near_it) {
  constexpr std::size_t kExperts = 11, kTokens = 20;
  Floats logits = random_values(kExperts * kTokens, 1, 0.05F);
  for (float& v : logits) v += 1;  // several within 2% of the greatest
  const Chosen chosen = choose({.gating = Gating::kSparseMixer, .n_used = 2}, logits, kExperts);
  for (std::size_t t = 0; t < kTokens; ++t) {
    std::vector<double> scores(&logits[t * kExperts], &logits[(t + 1) * kExperts]);
    std::vector<double> left = scores;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto best = static_cast<std::size_t>(std::ranges::max_element(left) - left.begin());
      double sum = 0;
      for (std::size_t e = 0; e < kExperts; ++e) {
        const bool near = (left[best] - scores[e]) / std::max(std::fabs(scores[e]), left[best]) <= 0.02;
        if (near) sum += std::exp(left[e] - left[best]);
      }
      EXPECT_EQ(chosen.experts[t * 2 + i], best);
      EXPECT_NEAR(chosen.weights[t * 2 + i], 1 / sum, 1e-5);
      left[best] = -kInfinity;
    }
  }
}

// Groups of three experts, two of which are left: by their best expert it is the first and the last, by their
// two best the first and the second.
TEST(Routing, chooses_within_the_best_groups) {
  const Floats scores = {5, 0, 0.5F, 3, 2.5F, -1, 1, 1, 2, 4, 0, 0};
  RoutingRule rule{
      .gating = Gating::kSoftmaxOfChosen, .n_used = 3, .n_groups = 4, .n_groups_used = 2, .group_best = 1};
  EXPECT_EQ(choose(rule, scores, 12).experts, (Ids{0, 9, 2}));
  rule.group_best = 2;
  EXPECT_EQ(choose(rule, scores, 12).experts, (Ids{0, 3, 4}));
  rule.n_groups_used = 4;
  EXPECT_EQ(choose(rule, scores, 12).experts, (Ids{0, 9, 3}));
}

TEST(Routing, groups_are_chosen_by_biased_scores) {
  const Floats scores = {5, 4, 1, 1};
  const Floats bias = {0, 0, 10, 0};
  const Chosen chosen = choose({.gating = Gating::kSoftmaxOfChosen,
                                .n_used = 2,
                                .n_groups = 2,
                                .n_groups_used = 1,
                                .selection_bias = bias.data()},
                               scores, 4);
  EXPECT_EQ(chosen.experts, (Ids{2, 3}));
  EXPECT_EQ(chosen.weights, (Floats{0.5F, 0.5F})) << "the bias is no part of the weight";
}

TEST(Routing, the_first_of_equals_wins) {
  const Floats scores = {1, 3, 3, 1, 3, 1};
  EXPECT_EQ(choose({.gating = Gating::kSigmoid, .n_used = 4}, scores, 6).experts, (Ids{1, 2, 4, 0}));
  const Floats groups = {2, 1, 2, 1, 2, 1};
  const RoutingRule rule{.gating = Gating::kSigmoid, .n_used = 3, .n_groups = 3, .n_groups_used = 2};
  EXPECT_EQ(choose(rule, groups, 6).experts, (Ids{0, 2, 1}));
}

TEST(Routing, scores_that_are_no_numbers_are_chosen_last_and_never_lead_out_of_bounds) {
  const Floats some = {kNan, 1, kNan, 2, kNan, 0};
  for (const Gating gating : {Gating::kSigmoid, Gating::kSqrtSoftplus, Gating::kSoftmaxOfChosen}) {
    EXPECT_EQ(choose({.gating = gating, .n_used = 3}, some, 6).experts, (Ids{3, 1, 5}));
  }
  for (const float value : {kNan, kInfinity, -kInfinity}) {
    const Floats all(12, value);
    for (const Gating gating : {Gating::kSoftmax, Gating::kSigmoid, Gating::kSqrtSoftplus,
                                Gating::kSoftmaxOfChosen, Gating::kSparseMixer}) {
      for (const std::uint32_t n_groups : {1U, 3U}) {
        const Chosen chosen = choose({.gating = gating,
                                      .n_used = 4,
                                      .n_groups = n_groups,
                                      .n_groups_used = n_groups == 1 ? 1U : 2U,
                                      .normalize = true},
                                     all, 12);
        for (const std::uint32_t expert : chosen.experts) EXPECT_LT(expert, 12U);
      }
    }
  }
}

TEST(Routing, weights_that_vanish_are_not_divided_by_nothing) {
  const Floats scores(4, -200.0F);
  const Chosen chosen = choose({.gating = Gating::kSigmoid, .n_used = 2, .normalize = true}, scores, 4);
  EXPECT_EQ(chosen.weights, (Floats{0, 0}));
}

TEST(Routing, weighs_experts_that_are_chosen_already) {
  Floats scores = {0, 1, 2, 3, 3, 2, 1, 0};
  Ids experts = {3, 0, 1, 1};
  Floats weights(4);
  weigh_experts(Machine(2).exec, {.gating = Gating::kSqrtSoftplus, .n_used = 2, .normalize = true},
                view(scores, 4), {experts, weights});
  EXPECT_EQ(experts, (Ids{3, 0, 1, 1}));
  const double three = std::sqrt(std::log1p(std::exp(3.0)));
  const double zero = std::sqrt(std::log(2.0));
  EXPECT_NEAR(weights[0], three / (three + zero), 1e-6);
  EXPECT_NEAR(weights[1], zero / (three + zero), 1e-6);
  EXPECT_NEAR(weights[2], 0.5, 1e-6);
}

TEST(LookUpRows, copies_the_rows_of_a_table) {
  const std::vector<std::int32_t> table = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const WeightView rows{.dtype = DType::kI32,
                        .shape = Shape(3, 3),
                        .data = reinterpret_cast<const std::byte*>(table.data()),
                        .row_bytes = 12};
  Ids out(9);
  look_up_rows(rows, Ids{2, 0, 2}, out);
  EXPECT_EQ(out, (Ids{7, 8, 9, 1, 2, 3, 7, 8, 9}));
}

TEST(SortByExpert, keeps_the_order_of_tokens_and_leaves_out_experts_without_rows) {
  constexpr std::uint32_t kExperts = 9, kUsed = 3;
  for (const std::size_t tokens : {1U, 2U, 50U}) {
    Ids experts;
    Floats weights(tokens * kUsed);
    Rng rng(tokens);
    for (std::size_t i = 0; i < tokens * kUsed; ++i)
      experts.push_back(static_cast<std::uint32_t>(rng.next() % (kExperts - 2)) +
                        1);  // never the first, last
    Ids words(SortedRows::words(kExperts, experts.size()));
    const std::span<std::uint32_t> all(words);
    const SortedRows memory{.matrix = all.first(kExperts),
                            .begin = all.subspan(kExperts, kExperts + 1),
                            .source = all.subspan(2 * kExperts + 1, experts.size()),
                            .row_of = all.subspan(2 * kExperts + 1 + experts.size())};
    const RowGroups groups = sort_by_expert({experts, weights}, kExperts, kUsed, memory);

    Ids matrix, begin, source, row_of(experts.size());
    for (std::uint32_t e = 0; e < kExperts; ++e) {
      if (std::ranges::find(experts, e) == experts.end()) continue;
      matrix.push_back(e);
      begin.push_back(static_cast<std::uint32_t>(source.size()));
      for (std::uint32_t i = 0; i < experts.size(); ++i) {
        if (experts[i] != e) continue;
        row_of[i] = static_cast<std::uint32_t>(source.size());
        source.push_back(i / kUsed);
      }
    }
    begin.push_back(static_cast<std::uint32_t>(source.size()));
    const auto copy = [](std::span<const std::uint32_t> ids) { return Ids(ids.begin(), ids.end()); };
    EXPECT_EQ(copy(groups.matrix), matrix);
    EXPECT_EQ(copy(groups.begin), begin);
    EXPECT_EQ(copy(groups.source), source);
    EXPECT_EQ(copy(memory.row_of), row_of);
  }
}

TEST(CombineExperts, sums_the_weighted_results_of_each_token) {
  constexpr std::size_t kTokens = 7, kUsed = 3, kCols = 37;
  Floats results = random_values(kTokens * kUsed * kCols, 1);
  const Floats weights = random_values(kTokens * kUsed, 2);
  Ids row_of(kTokens * kUsed);
  for (std::uint32_t i = 0; i < row_of.size(); ++i) row_of[i] = i * 8 % 21;
  for (const bool weighted : {true, false}) {
    const std::span<const float> used = weighted ? std::span<const float>(weights) : std::span<const float>();
    Floats first;
    for (const int threads : {1, 2, 7}) {
      Floats out(kTokens * kCols, kNan);
      combine_experts(Machine(threads).exec, view(results, kCols), row_of, used, kUsed, view(out, kCols));
      if (first.empty()) first = out;
      EXPECT_EQ(out, first);
    }
    for (std::size_t t = 0; t < kTokens; ++t) {
      for (std::size_t c = 0; c < kCols; ++c) {
        double sum = 0;
        for (std::size_t i = t * kUsed; i < (t + 1) * kUsed; ++i)
          sum += (weighted ? double{weights[i]} : 1) * results[row_of[i] * kCols + c];
        EXPECT_NEAR(first[t * kCols + c], sum, 1e-6);
      }
    }
  }
}

}  // namespace
}  // namespace cistern::ops
