#include "ops/elementwise.h"

#include <cmath>

#include "base/check.h"
#include "kernels/elementwise_table.h"

namespace cistern::ops {
namespace {

// Runs f(token) for every row, split over the threads.
template <class F>
void for_rows(const Exec& exec, std::uint64_t rows, const F& f) {
  for_shares(exec, rows, 1, [&](int, Range range) {
    for (std::uint64_t t = range.begin; t < range.end; ++t) f(t);
  });
}

using GateRowFn = void (*)(const float*, const float*, float*, std::size_t) noexcept;

GateRowFn gate_row(const Exec& exec, GateFn fn) {
  const kernels::ElementwiseKernels& kernels = kernels::elementwise_kernels(exec.kernels->isa);
  return fn == GateFn::kSilu ? kernels.silu_gate : kernels.gelu_gate;
}

// Cosines and signed sines of one position, as the kernels want them (kernels/elementwise_table.h).
struct RotationTable {
  float* cosines;
  float* sines;

  void fill(const Rotation& rotation, float position) {
    for (std::size_t i = 0; i < rotation.inv_freq.size(); ++i) {
      const float angle = position * rotation.inv_freq[i];
      const float cosine = std::cos(angle) * rotation.factor;
      const float sine = std::sin(angle) * rotation.factor;
      if (rotation.interleaved) {
        cosines[2 * i] = cosines[2 * i + 1] = cosine;
        sines[2 * i] = -sine;
        sines[2 * i + 1] = sine;
      } else {
        cosines[i] = cosine;
        sines[i] = sine;
      }
    }
  }
};

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
  CISTERN_CHECK(2 * pairs <= heads.head_dim && 4 * pairs <= exec.scratch_floats_per_thread);
  const kernels::ElementwiseKernels& kernels = kernels::elementwise_kernels(exec.kernels->isa);
  for_shares(exec, heads.rows.shape.rows(), 1, [&](int thread, Range range) {
    RotationTable table{.cosines = exec.scratch_of(thread), .sines = exec.scratch_of(thread) + 2 * pairs};
    for (std::uint64_t t = range.begin; t < range.end; ++t) {
      table.fill(rotation, static_cast<float>(first_position + t));
      for (std::uint32_t hi = 0; hi < heads.n_heads; ++hi) {
        float* head = heads.head(t, hi);
        if (rotation.interleaved) {
          kernels.rotate_neighbours(head, table.cosines, table.sines, 2 * pairs);
        } else {
          kernels.rotate(head, head + pairs, table.cosines, table.sines, pairs);
        }
      }
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
  const GateRowFn row = gate_row(exec, fn);
  for_rows(exec, out.shape.rows(), [&](std::uint64_t t) {
    row(gate_rows.row(t) + gate_col, up_rows.row(t) + up_col, out.row(t), out.shape.cols());
  });
}

void softcap(const Exec& exec, float cap, const TensorView& x) {
  const kernels::ElementwiseKernels& kernels = kernels::elementwise_kernels(exec.kernels->isa);
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) { kernels.softcap(cap, x.row(t), x.shape.cols()); });
}

}  // namespace cistern::ops
