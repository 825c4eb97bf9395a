// The small ops of a decoder layer: norms, activations, residual sums, soft caps, rope. All in place or row
// by row on f32 activations (columns = features, rows = tokens), split over threads by rows.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/elementwise_table.h"
#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// out[t] = RMSNorm(x[t]) * weight; without a weight when its view is empty. x and out may be the same.
void rms_norm(const Exec& exec, const TensorView& x, const WeightView& weight, float eps,
              const TensorView& out);

// out[t] = LayerNorm(x[t]) * weight + bias, which may be an empty view. x and out may be the same.
void layer_norm(const Exec& exec, const TensorView& x, const WeightView& weight, const WeightView& bias,
                float eps, const TensorView& out);

// A block of columns inside wider rows: `n_heads` heads of `head_dim` values, the first at column
// `first_col`.
struct HeadsView {
  TensorView rows;  // f32 (any columns, tokens)
  std::uint32_t first_col = 0;
  std::uint32_t n_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t head_step = head_dim;  // columns from one head to the next

  float* head(std::uint64_t token, std::uint32_t hi) const {
    return rows.row(token) + first_col + hi * head_step;
  }
};

// RMSNorm of every head with one weight of head_dim values, a weight for each head, or none when its view is
// empty.
void rms_norm_heads(const Exec& exec, const HeadsView& heads, const WeightView& weight, float eps);

// LayerNorm of every head with a weight of head_dim values each, one after the other.
void layer_norm_heads(const Exec& exec, const HeadsView& heads, const WeightView& weights, float eps);

// Rotates pairs of each head: the angle of pair i at position p is p * inv_freq[i]; sin and cos times
// `factor`.
struct Rotation {
  std::span<const float> inv_freq;
  bool interleaved = false;  // pairs (2i, 2i + 1), else (i, i + dims / 2)
  float factor = 1.0F;
  bool back = false;  // by the negative angle
};
void rope(const Exec& exec, const HeadsView& heads, const Rotation& rotation, std::uint32_t first_position);

// Scales the heads of the token at position p by 1 + scale * ln(1 + floor((p + offset) / length)) (Meta
// 2025).
struct Temperature {
  float scale = 0;
  std::uint32_t length = 1;
  std::uint32_t offset = 0;
};
void scale_by_position(const Exec& exec, const HeadsView& heads, const Temperature& temperature,
                       std::uint32_t first_position);

// x += factor * y.
void add(const Exec& exec, const TensorView& x, const TensorView& y, float factor = 1.0F);

// out = x.
void copy(const Exec& exec, const TensorView& x, const TensorView& out);

// The heads of `out` = those of x.
void copy_heads(const Exec& exec, const HeadsView& x, const HeadsView& out);

// out = factor * x.
void scaled_copy(const Exec& exec, float factor, const TensorView& x, const TensorView& out);

// x[t] *= sigmoid(score[t]). score f32 (1, tokens).
void scale_rows_by_sigmoid(const Exec& exec, const TensorView& score, const TensorView& x);

// x[t, i] *= weight[i].
void scale_columns(const Exec& exec, const WeightView& weight, const TensorView& x);

// Each head x becomes max(x - (mean(x) + deviations * standard deviation of x), 0): of normally distributed
// values a fixed share is left (You et al. 2025).
void statistical_top_k(const Exec& exec, float deviations, const HeadsView& heads);

// x *= factor, of rows or of heads.
void scale(const Exec& exec, float factor, const TensorView& x);
void scale(const Exec& exec, float factor, const HeadsView& heads);

// out[t, i] = fn(gate[t, i]) * up[t, i] for i < columns of out; gate and up are column ranges of wider rows.
// A null `up` is 1.
using kernels::GateFn;
struct GateArgs {
  GateFn fn = GateFn::kSilu;
  TensorView gate;
  std::uint64_t gate_col = 0;
  TensorView up;  // no data: 1
  std::uint64_t up_col = 0;
  float limit = 0;  // of the functions that clamp
  TensorView out;
};
void gate(const Exec& exec, const GateArgs& args);

// x[t, head h, i] *= sigmoid(gates[t, h, i]).
void gate_heads(const Exec& exec, const HeadsView& gates, const HeadsView& x);

// x = cap * tanh(x / cap).
void softcap(const Exec& exec, float cap, const TensorView& x);

}  // namespace cistern::ops
