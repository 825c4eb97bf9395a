// The gated delta rule (Yang et al. 2024) over the tokens of one sequence, with one decay per head or, as in
// Kimi delta attention (Kimi Team 2025), one per key channel. Called by model/delta_net.cc. Tokens go one by
// one, threads share the columns of the heads' states: a result does not depend on chunks or threads. All
// memory is the caller's.
#pragma once

#include <cstdint>
#include <span>

#include "ops/elementwise.h"
#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// What each token forgets and learns, from projections of it:
// decay[t] = exp(a * softplus(forget[t] + bias)), beta[t] = sigmoid(learn[t]). The values of all heads of a
// view are numbered through; an `a` counts for bias.size() / a.size() of them.
struct DeltaGates {
  HeadsView forget;
  HeadsView learn;   // as many heads
  WeightView bias;   // f32 (values of forget)
  WeightView a;      // f32, below 0
  TensorView decay;  // f32 (values of forget, tokens); may be the rows of `forget`
  TensorView beta;   // f32 (values of learn, tokens)
};
void delta_gates(const Exec& exec, const DeltaGates& gates);

// x = x / sqrt(sum(x^2) + eps) * scale of each head, with the eps of the published models.
void l2_norm_heads(const Exec& exec, const HeadsView& heads, float scale = 1.0F);

// Floats of the state of `n_heads` value heads, zeros before the first token. Its layout is this file's own.
std::uint64_t delta_state_floats(std::uint64_t n_heads, std::uint64_t key_dim,
                                 std::uint64_t value_dim) noexcept;

struct DeltaRule {
  HeadsView queries, keys;  // of the key heads
  HeadsView values;         // of the value heads, a multiple as many
  bool interleaved_heads =
      false;         // value head h belongs to key head h / (values per key), else h % key heads
  TensorView decay;  // f32 (value heads, or value heads * key_dim; tokens)
  TensorView beta;   // f32 (value heads, tokens)
  std::span<float> state;
  HeadsView out;  // as `values`
};
void delta_rule(const Exec& exec, const DeltaRule& rule);

}  // namespace cistern::ops
