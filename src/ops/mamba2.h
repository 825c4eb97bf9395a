// The selective state space of Mamba 2 over the tokens of one sequence, its state carried from step to step.
// Called by model/mamba2.cc, sequence by sequence, after the short convolution. Split over threads by heads
// and their rows; the tokens pass in order, so however they are cut into steps, the bits are the same.
#pragma once

#include <span>

#include "ops/elementwise.h"
#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// With the step s = softplus(dt[t, h] + dt_bias[h]) of head h, its row i of the state becomes
// exp(s * a[h]) * state[h, i] + s * x[t, h, i] * b[t, g], and out[t, h, i] = state[h, i] . c[t, g] +
// d[h] * x[t, h, i]; g is the group of heads that h belongs to.
struct StateSpace {
  HeadsView x;
  HeadsView b, c;      // a head of state values per group
  HeadsView dt;        // as many heads of one value as x has
  WeightView dt_bias;  // f32, a value per head, as a (below 0) and d
  WeightView a;
  WeightView d;
  std::span<float> state;  // (state values, head_dim, heads)
  TensorView out;          // f32 (heads * head_dim, tokens)
};
void state_space(const Exec& exec, const StateSpace& args);

}  // namespace cistern::ops
