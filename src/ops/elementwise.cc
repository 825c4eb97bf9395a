#include "ops/elementwise.h"

#include <array>
#include <cmath>

#include "base/check.h"

namespace cistern::ops {
namespace {

// Runs f(token) for every row, split over the threads.
template <class F>
void for_rows(const Exec& exec, std::uint64_t rows, const F& f) {
  for_shares(exec, rows, 1, [&](int, Range range) {
    for (std::uint64_t t = range.begin; t < range.end; ++t) f(t);
  });
}

float silu(float x) noexcept {
  return x / (1.0F + std::exp(-x));
}

// Hendrycks & Gimpel 2016, the tanh form.
float gelu_tanh(float x) noexcept {
  constexpr float kSqrt2OverPi = 0.7978845608F;
  return 0.5F * x * (1.0F + std::tanh(kSqrt2OverPi * (x + 0.044715F * x * x * x)));
}

template <float (*kFunction)(float) noexcept>
void gate_row(const float* gate, const float* up, float* out, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) out[i] = kFunction(gate[i]) * up[i];
}

using GateRowFn = void (*)(const float*, const float*, float*, std::uint64_t);
constexpr std::array<GateRowFn, 2> kGateRows = {gate_row<silu>, gate_row<gelu_tanh>};  // by GateFn

void rotate(float* head, const Rotation& rotation, const float* cosines, const float* sines) {
  const std::size_t pairs = rotation.inv_freq.size();
  const std::size_t step = rotation.interleaved ? 2 : 1;
  const std::size_t partner = rotation.interleaved ? 1 : pairs;
  for (std::size_t i = 0; i < pairs; ++i) {
    float& a = head[i * step];
    float& b = head[i * step + partner];
    const float rotated = a * cosines[i] - b * sines[i];
    b = a * sines[i] + b * cosines[i];
    a = rotated;
  }
}

}  // namespace

void rms_norm(const Exec& exec, const TensorView& x, const WeightView& weight, float eps,
              const TensorView& out) {
  CISTERN_CHECK(x.shape == out.shape && weight.shape.cols() == x.shape.cols());
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) {
    exec.kernels->rms_norm(x.row(t), weight.f32(), eps, out.row(t), x.shape.cols());
  });
}

void rms_norm_heads(const Exec& exec, const HeadsView& heads, const WeightView& weight, float eps) {
  CISTERN_CHECK(weight.shape.cols() == heads.head_dim);
  for_rows(exec, heads.rows.shape.rows(), [&](std::uint64_t t) {
    for (std::uint32_t hi = 0; hi < heads.n_heads; ++hi) {
      float* head = heads.head(t, hi);
      exec.kernels->rms_norm(head, weight.f32(), eps, head, heads.head_dim);
    }
  });
}

void rope(const Exec& exec, const HeadsView& heads, const Rotation& rotation, std::uint32_t first_position) {
  const std::size_t pairs = rotation.inv_freq.size();
  CISTERN_CHECK(2 * pairs <= heads.head_dim && 2 * pairs <= exec.scratch_floats_per_thread);
  for_shares(exec, heads.rows.shape.rows(), 1, [&](int thread, Range range) {
    float* cosines = exec.scratch_of(thread);
    float* sines = cosines + pairs;
    for (std::uint64_t t = range.begin; t < range.end; ++t) {
      const auto position = static_cast<float>(first_position + t);
      for (std::size_t i = 0; i < pairs; ++i) {
        const float angle = position * rotation.inv_freq[i];
        cosines[i] = std::cos(angle) * rotation.factor;
        sines[i] = std::sin(angle) * rotation.factor;
      }
      for (std::uint32_t hi = 0; hi < heads.n_heads; ++hi)
        rotate(heads.head(t, hi), rotation, cosines, sines);
    }
  });
}

void add(const Exec& exec, const TensorView& x, const TensorView& y) {
  CISTERN_CHECK(x.shape == y.shape);
  for_rows(exec, x.shape.rows(),
           [&](std::uint64_t t) { exec.kernels->add_scaled(1.0F, y.row(t), x.row(t), x.shape.cols()); });
}

void gate(const Exec& exec, GateFn fn, const TensorView& gate_rows, std::uint64_t gate_col,
          const TensorView& up_rows, std::uint64_t up_col, const TensorView& out) {
  CISTERN_CHECK(gate_col + out.shape.cols() <= gate_rows.shape.cols() &&
                up_col + out.shape.cols() <= up_rows.shape.cols());
  const GateRowFn row = kGateRows[static_cast<std::size_t>(fn)];
  for_rows(exec, out.shape.rows(), [&](std::uint64_t t) {
    row(gate_rows.row(t) + gate_col, up_rows.row(t) + up_col, out.row(t), out.shape.cols());
  });
}

void softcap(const Exec& exec, float cap, const TensorView& x) {
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) {
    float* row = x.row(t);
    for (std::uint64_t i = 0; i < x.shape.cols(); ++i) row[i] = cap * std::tanh(row[i] / cap);
  });
}

}  // namespace cistern::ops
