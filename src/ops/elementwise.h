// The small ops of a decoder layer: norms, activations, residual sums, soft caps, rope. All in place or row
// by row on f32 activations (columns = features, rows = tokens), split over threads by rows.
#pragma once

#include <cstdint>
#include <span>

#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

// out[t] = RMSNorm(x[t]) * weight. x and out may be the same.
void rms_norm(const Exec& exec, const TensorView& x, const WeightView& weight, float eps,
              const TensorView& out);

// A block of columns inside wider rows: `n_heads` heads of `head_dim` values, the first at column
// `first_col`.
struct HeadsView {
  TensorView rows;  // f32 (any columns, tokens)
  std::uint32_t first_col = 0;
  std::uint32_t n_heads = 0;
  std::uint32_t head_dim = 0;

  float* head(std::uint64_t token, std::uint32_t hi) const {
    return rows.row(token) + first_col + hi * head_dim;
  }
};

// RMSNorm of every head with one weight of head_dim values.
void rms_norm_heads(const Exec& exec, const HeadsView& heads, const WeightView& weight, float eps);

// Rotates pairs of each head: the angle of pair i at position p is p * inv_freq[i]; sin and cos times
// `factor`.
struct Rotation {
  std::span<const float> inv_freq;
  bool interleaved = false;  // pairs (2i, 2i + 1), else (i, i + dims / 2)
  float factor = 1.0F;
};
void rope(const Exec& exec, const HeadsView& heads, const Rotation& rotation, std::uint32_t first_position);

// x += y.
void add(const Exec& exec, const TensorView& x, const TensorView& y);

// gate[t, i] = f(gate[t, i]) * up[t, i] for i < columns of out; gate and up are column ranges of wider rows.
enum class GateFn { kSilu, kGeluTanh };
void gate(const Exec& exec, GateFn fn, const TensorView& gate_rows, std::uint64_t gate_col,
          const TensorView& up_rows, std::uint64_t up_col, const TensorView& out);

// x = cap * tanh(x / cap).
void softcap(const Exec& exec, float cap, const TensorView& x);

}  // namespace cistern::ops
