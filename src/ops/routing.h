// Which experts a token goes to: from a router's scores to the chosen experts and their weights, and to the
// rows sorted by expert that grouped_matmul.h works on. Scores are floats, a choice depends on its own token
// only, and of equal scores the first expert wins. All memory is the caller's.
#pragma once

#include <cstdint>
#include <span>

#include "ops/exec.h"
#include "ops/grouped_matmul.h"
#include "tensor/view.h"

namespace cistern::ops {

enum class Gating { kSoftmax, kSigmoid, kSoftmaxOfChosen, kSqrtSoftplus, kSparseMixer };

struct RoutingRule {
  Gating gating = Gating::kSoftmax;
  std::uint32_t n_used = 1;
  std::uint32_t n_groups = 1;  // experts are chosen within the n_groups_used best groups
  std::uint32_t n_groups_used = 1;
  std::uint32_t group_best = 2;  // experts of a group that its score is the sum of: 1 or 2
  bool normalize = false;        // the chosen weights add up to 1
  float scale = 1.0F;
  const float* selection_bias = nullptr;  // (experts): added for the choice, not to the weight
};

// Of each token, its experts in the order of choice, and the weights of their results.
struct Choice {
  std::span<std::uint32_t> experts;  // n_used per token
  std::span<float> weights;
};

// scores f32 (experts, tokens), used up as working memory.
void choose_experts(const Exec& exec, const RoutingRule& rule, const TensorView& scores,
                    const Choice& choice);

// out = rows ids of an i32 table, one after the other.
void look_up_rows(const WeightView& table, std::span<const std::uint32_t> ids, std::span<std::uint32_t> out);

// The weights of experts that are chosen already.
void weigh_experts(const Exec& exec, const RoutingRule& rule, const TensorView& scores, const Choice& choice);

// What sort_by_expert() fills; sizes for N = tokens * n_used rows and E experts.
struct SortedRows {
  std::span<std::uint32_t> matrix;  // E
  std::span<std::uint32_t> begin;   // E + 1
  std::span<std::uint32_t> source;  // N: the token of each row
  std::span<std::uint32_t> row_of;  // N: where the result of choice i lies

  static constexpr std::uint64_t words(std::uint64_t n_experts, std::uint64_t rows) {
    return 2 * n_experts + 1 + 2 * rows;
  }
};
RowGroups sort_by_expert(const Choice& choice, std::uint32_t n_experts, std::uint32_t n_used,
                         const SortedRows& memory);

// out[t] = sum over the choices of t, in their order, of weight times results[row_of]. `weights` may be
// empty: 1.
void combine_experts(const Exec& exec, const TensorView& results, std::span<const std::uint32_t> row_of,
                     std::span<const float> weights, std::uint32_t n_used, const TensorView& out);

}  // namespace cistern::ops
