#include "ops/delta_rule.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "kernels/elementwise_table.h"

namespace cistern::ops {
namespace {

using kernels::kDeltaColumns;

// Less than this is not worth waking other threads for.
constexpr std::uint64_t kGrainGates = 1U << 10U;
constexpr std::uint64_t kGrainStates = 1U << 14U;

constexpr float kL2Eps = 1e-6F;

// ln(1 + e^x)
float softplus(float x) {
  constexpr float kLinear = 20.0F;  // where x is the result already
  return x > kLinear ? x : std::log1p(std::exp(x));
}

std::uint64_t tiles_of(std::uint64_t value_dim) {
  return (value_dim + kDeltaColumns - 1) / kDeltaColumns;
}

// All tokens of one tile of a head's state.
void run_tile(const kernels::ElementwiseKernels& kernels, const DeltaRule& rule, std::uint32_t head,
              std::uint64_t tile) {
  const std::uint32_t n_heads = rule.values.n_heads;
  const std::uint32_t key_dim = rule.keys.head_dim;
  const std::uint32_t key_head =
      rule.interleaved_heads ? head / (n_heads / rule.keys.n_heads) : head % rule.keys.n_heads;
  const std::uint64_t first = tile * kDeltaColumns;
  const std::uint64_t decays = rule.decay.shape.cols() / n_heads;  // of a head
  kernels::DeltaRuleToken token{
      .state = rule.state.data() + (head * tiles_of(rule.values.head_dim) + tile) * key_dim * kDeltaColumns,
      .n_keys = key_dim,
      .decays_differ = decays > 1,
      .n_columns = std::min<std::uint64_t>(kDeltaColumns, rule.values.head_dim - first)};
  for (std::uint64_t t = 0; t < rule.values.rows.shape.rows(); ++t) {
    token.query = rule.queries.head(t, key_head);
    token.key = rule.keys.head(t, key_head);
    token.decay = rule.decay.row(t) + head * decays;
    token.beta = rule.beta.row(t)[head];
    token.value = rule.values.head(t, head) + first;
    token.out = rule.out.head(t, head) + first;
    kernels.delta_rule(token);
  }
}

}  // namespace

void delta_gates(const Exec& exec, const DeltaGates& gates) {
  const HeadsView& forget = gates.forget;
  const HeadsView& learn = gates.learn;
  const std::uint64_t values = std::uint64_t{forget.n_heads} * forget.head_dim;
  const std::uint64_t per_a = values / std::max<std::uint64_t>(1, gates.a.shape.elements());
  CISTERN_CHECK(forget.n_heads == learn.n_heads && gates.bias.shape.elements() == values &&
                per_a * gates.a.shape.elements() == values && gates.decay.shape.cols() == values &&
                gates.beta.shape.cols() == std::uint64_t{learn.n_heads} * learn.head_dim);
  const float* bias = gates.bias.f32();
  const float* a = gates.a.f32();
  const std::uint64_t heads = forget.rows.shape.rows() * forget.n_heads;
  const std::uint64_t grain = std::max<std::uint64_t>(1, kGrainGates / forget.head_dim);
  for_shares(exec, heads, grain, [&](int, Range range) {
    for (std::uint64_t i = range.begin; i < range.end; ++i) {
      const std::uint64_t t = i / forget.n_heads;
      const auto hi = static_cast<std::uint32_t>(i % forget.n_heads);
      for (std::uint64_t j = 0; j < forget.head_dim; ++j) {
        const std::uint64_t n = std::uint64_t{hi} * forget.head_dim + j;
        gates.decay.row(t)[n] = std::exp(a[n / per_a] * softplus(forget.head(t, hi)[j] + bias[n]));
      }
      for (std::uint64_t j = 0; j < learn.head_dim; ++j)
        gates.beta.row(t)[hi * learn.head_dim + j] = 1.0F / (1.0F + std::exp(-learn.head(t, hi)[j]));
    }
  });
}

void l2_norm_heads(const Exec& exec, const HeadsView& heads, float scale) {
  // By way of the mean: the root of n times the mean is the root of the sum.
  const auto dim = static_cast<float>(heads.head_dim);
  rms_norm_heads(exec, heads, {}, kL2Eps / dim);
  ops::scale(exec, scale / std::sqrt(dim), heads);
}

std::uint64_t delta_state_floats(std::uint64_t n_heads, std::uint64_t key_dim,
                                 std::uint64_t value_dim) noexcept {
  return n_heads * key_dim * tiles_of(value_dim) * kDeltaColumns;
}

void delta_rule(const Exec& exec, const DeltaRule& rule) {
  const std::uint32_t n_heads = rule.values.n_heads;
  const std::uint32_t key_dim = rule.keys.head_dim;
  const std::uint64_t tokens = rule.values.rows.shape.rows();
  const std::uint64_t decays = rule.decay.shape.cols();
  CISTERN_CHECK(tokens > 0 && rule.keys.n_heads > 0 && n_heads % rule.keys.n_heads == 0);
  CISTERN_CHECK(decays == n_heads || decays == std::uint64_t{n_heads} * key_dim);
  CISTERN_CHECK(rule.state.size() == delta_state_floats(n_heads, key_dim, rule.values.head_dim));
  const kernels::ElementwiseKernels& kernels = kernels::elementwise_kernels(exec.kernels->isa);
  const std::uint64_t tiles = tiles_of(rule.values.head_dim);
  const std::uint64_t grain =
      std::max<std::uint64_t>(1, kGrainStates / (std::uint64_t{key_dim} * kDeltaColumns * tokens));
  for_shares(exec, n_heads * tiles, grain, [&](int, Range range) {
    for (std::uint64_t i = range.begin; i < range.end; ++i)
      run_tile(kernels, rule, static_cast<std::uint32_t>(i / tiles), i % tiles);
  });
}

}  // namespace cistern::ops
