#include "ops/routing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "ops/elementwise.h"

namespace cistern::ops {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
// What a sum of weights is divided by at the least, as the published code has it.
constexpr float kLeastSum = 6.103515625e-5F;

// The index of the greatest of n values; the first of equals. Anything but a number is never greatest.
std::uint32_t greatest(const float* values, std::uint32_t n) {
  std::uint32_t best = 0;
  float most = kNever;
  for (std::uint32_t i = 0; i < n; ++i) {
    if (values[i] > most) {
      most = values[i];
      best = i;
    }
  }
  return best;
}

void softmax(float* values, std::uint32_t n) {
  const float most = *std::max_element(values, values + n);
  float sum = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    values[i] = std::exp(values[i] - most);
    sum += values[i];
  }
  for (std::uint32_t i = 0; i < n; ++i) values[i] /= sum;
}

// Scores of all experts, where they depend on each other or not.
void apply(Gating gating, float* scores, std::uint32_t n) {
  switch (gating) {
    case Gating::kSoftmax:
      softmax(scores, n);
      return;
    case Gating::kSigmoid:
      for (std::uint32_t i = 0; i < n; ++i) scores[i] = 1.0F / (1.0F + std::exp(-scores[i]));
      return;
    case Gating::kSqrtSoftplus:
      for (std::uint32_t i = 0; i < n; ++i) {
        const float x = scores[i];
        scores[i] = std::sqrt(std::max(x, 0.0F) + std::log1p(std::exp(-std::fabs(x))));
      }
      return;
    case Gating::kSoftmaxOfChosen:
    case Gating::kSparseMixer:
      return;
  }
}

// Leaves only the experts of the best groups in play (DeepSeek-AI 2024).
void keep_best_groups(const RoutingRule& rule, float* scores, std::uint32_t n) {
  const std::uint32_t size = n / rule.n_groups;
  const auto group_score = [&](std::uint32_t g) {
    const float* group = scores + g * size;
    const std::uint32_t first = greatest(group, size);
    if (rule.group_best == 1 || size == 1) return group[first];
    float second = kNever;
    for (std::uint32_t i = 0; i < size; ++i) {
      if (i != first && group[i] > second) second = group[i];
    }
    return group[first] + second;
  };
  for (std::uint32_t dropped = rule.n_groups_used; dropped < rule.n_groups; ++dropped) {
    std::uint32_t worst = rule.n_groups;
    float least = std::numeric_limits<float>::infinity();
    for (std::uint32_t g = 0; g < rule.n_groups; ++g) {
      if (scores[g * size] == kNever) continue;  // dropped already
      const float score = group_score(g);
      if (!(score > least)) {  // of equals the last
        least = score;
        worst = g;
      }
    }
    if (worst < rule.n_groups) std::fill_n(scores + worst * size, size, kNever);
  }
}

// The weight of the expert at `chosen` among the scores that are left: a softmax over those within 2% of it
// (Liu et al. 2023, with the published jitter of 0.01).
float sparse_mixer_weight(const float* scores, const float* left, std::uint32_t n, std::uint32_t chosen) {
  constexpr float kTwiceJitter = 0.02F;
  const float most = left[chosen];
  float sum = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    const float scale = std::max(std::fabs(scores[i]), most);
    if (left[i] != kNever && !((most - scores[i]) / scale > kTwiceJitter)) sum += std::exp(left[i] - most);
  }
  return 1.0F / sum;
}

constexpr std::uint32_t kMostExperts = 1U << 14U;

struct TokenRouter {
  const RoutingRule& rule;
  std::uint32_t n;  // experts
  float* left;      // working memory: scores still in play

  void weigh(const float* scores, const std::uint32_t* experts, float* weights) const {
    for (std::uint32_t i = 0; i < rule.n_used; ++i) weights[i] = scores[experts[i]];
    if (rule.gating == Gating::kSoftmaxOfChosen) softmax(weights, rule.n_used);
    if (rule.normalize) {
      float sum = 0;
      for (std::uint32_t i = 0; i < rule.n_used; ++i) sum += weights[i];
      sum = std::max(sum, kLeastSum);
      for (std::uint32_t i = 0; i < rule.n_used; ++i) weights[i] /= sum;
    }
    for (std::uint32_t i = 0; i < rule.n_used; ++i) weights[i] *= rule.scale;
  }

  void choose(float* scores, std::uint32_t* experts, float* weights) const {
    apply(rule.gating, scores, n);
    for (std::uint32_t i = 0; i < n; ++i) {
      left[i] = rule.selection_bias != nullptr ? scores[i] + rule.selection_bias[i] : scores[i];
    }
    if (rule.n_groups > 1) keep_best_groups(rule, left, n);
    for (std::uint32_t i = 0; i < rule.n_used; ++i) {
      experts[i] = greatest(left, n);
      if (rule.gating == Gating::kSparseMixer) weights[i] = sparse_mixer_weight(scores, left, n, experts[i]);
      left[experts[i]] = kNever;
    }
    if (rule.gating != Gating::kSparseMixer) weigh(scores, experts, weights);
  }
};

template <class F>
void for_tokens(const Exec& exec, const RoutingRule& rule, const TensorView& scores, const F& f) {
  const auto n = static_cast<std::uint32_t>(scores.shape.cols());
  CISTERN_CHECK(n <= kMostExperts && n <= exec.scratch_floats_per_thread && rule.n_used <= n);
  for_shares(exec, scores.shape.rows(), 1, [&](int thread, Range tokens) {
    const TokenRouter router{.rule = rule, .n = n, .left = exec.scratch_of(thread)};
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) f(router, t);
  });
}

}  // namespace

void choose_experts(const Exec& exec, const RoutingRule& rule, const TensorView& scores,
                    const Choice& choice) {
  for_tokens(exec, rule, scores, [&](const TokenRouter& router, std::uint64_t t) {
    router.choose(scores.row(t), &choice.experts[t * rule.n_used], &choice.weights[t * rule.n_used]);
  });
}

void look_up_rows(const WeightView& table, std::span<const std::uint32_t> ids, std::span<std::uint32_t> out) {
  const std::uint64_t cols = table.shape.cols();
  CISTERN_CHECK(table.place.is_host() && table.dtype == DType::kI32 && out.size() == ids.size() * cols);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CISTERN_CHECK(ids[i] < table.shape.rows());
    std::memcpy(out.data() + i * cols, table.data + ids[i] * table.row_bytes, cols * sizeof(std::uint32_t));
  }
}

void weigh_experts(const Exec& exec, const RoutingRule& rule, const TensorView& scores,
                   const Choice& choice) {
  for_tokens(exec, rule, scores, [&](const TokenRouter& router, std::uint64_t t) {
    apply(rule.gating, scores.row(t), router.n);
    router.weigh(scores.row(t), &choice.experts[t * rule.n_used], &choice.weights[t * rule.n_used]);
  });
}

RowGroups sort_by_expert(const Choice& choice, std::uint32_t n_experts, std::uint32_t n_used,
                         const SortedRows& memory) {
  // A counting sort: how many rows each expert has, where they begin, each row to its place.
  const std::size_t rows = choice.experts.size();
  std::ranges::fill(memory.begin, 0U);
  for (const std::uint32_t expert : choice.experts) ++memory.begin[expert + 1];
  for (std::uint32_t e = 0; e < n_experts; ++e) memory.begin[e + 1] += memory.begin[e];
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint32_t row = memory.begin[choice.experts[i]]++;
    memory.source[row] = static_cast<std::uint32_t>(i / n_used);
    memory.row_of[i] = row;
  }
  // begin[e] is now where the rows of e end; experts without rows are left out.
  std::uint32_t n_groups = 0;
  std::uint32_t end_before = 0;
  for (std::uint32_t e = 0; e < n_experts; ++e) {
    const std::uint32_t end = memory.begin[e];
    if (end > end_before) {
      memory.matrix[n_groups] = e;
      memory.begin[n_groups++] = end_before;
    }
    end_before = end;
  }
  memory.begin[n_groups] = end_before;
  return {.matrix = memory.matrix.first(n_groups),
          .begin = memory.begin.first(n_groups + 1),
          .source = memory.source.first(rows)};
}

void combine_experts(const Exec& exec, const TensorView& results, std::span<const std::uint32_t> row_of,
                     std::span<const float> weights, std::uint32_t n_used, const TensorView& out) {
  const std::uint64_t cols = out.shape.cols();
  for_shares(exec, out.shape.rows(), 1, [&](int, Range tokens) {
    for (std::uint64_t t = tokens.begin; t < tokens.end; ++t) {
      std::fill_n(out.row(t), cols, 0.0F);
      for (std::uint64_t i = t * n_used; i < (t + 1) * n_used; ++i) {
        exec.kernels->add_scaled(weights.empty() ? 1.0F : weights[i], results.row(row_of[i]), out.row(t),
                                 cols);
      }
    }
  });
}

}  // namespace cistern::ops
