#include "ops/elementwise.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "ops/rows.h"

namespace cistern::ops {
namespace {

// An empty view fits everything.
bool fits(const WeightView& weight, std::uint64_t size) {
  return weight.data == nullptr || weight.shape.elements() == size;
}

// Of all values, not of a sample.
struct Moments {
  float mean, deviation;
};

// Two passes in doubles over as many sums as a compiler adds up side by side, in an order of their own.
Moments moments_of(std::span<const float> x) {
  constexpr std::size_t kSums = 8;
  const auto mean_of = [x](const auto& f) {
    std::array<double, kSums> sums{};
    for (std::size_t i = 0; i < x.size(); ++i) sums[i % kSums] += f(double{x[i]});
    double sum = 0;
    for (const double s : sums) sum += s;
    return sum / static_cast<double>(x.size());
  };
  const double mean = mean_of([](double v) { return v; });
  const double variance = mean_of([mean](double v) { return (v - mean) * (v - mean); });
  return {.mean = static_cast<float>(mean), .deviation = static_cast<float>(std::sqrt(variance))};
}

// Cosines and signed sines of one position, as the kernels want them (kernels/elementwise_table.h).
struct RotationTable {
  float* cosines;
  float* sines;

  void fill(const Rotation& rotation, float position) {
    for (std::size_t i = 0; i < rotation.inv_freq.size(); ++i) {
      const float angle = position * rotation.inv_freq[i];
      const float cosine = std::cos(angle) * rotation.factor;
      const float sine = std::sin(rotation.back ? -angle : angle) * rotation.factor;
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
  CISTERN_CHECK(x.shape == out.shape && fits(weight, x.shape.cols()));
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) {
    exec.kernels->rms_norm(x.row(t), weight.f32(), eps, out.row(t), x.shape.cols());
  });
}

void layer_norm(const Exec& exec, const TensorView& x, const WeightView& weight, const WeightView& bias,
                float eps, const TensorView& out) {
  CISTERN_CHECK(x.shape == out.shape && weight.data != nullptr && fits(weight, x.shape.cols()) &&
                fits(bias, x.shape.cols()));
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) {
    exec.kernels->layer_norm(x.row(t), weight.f32(), bias.f32(), eps, out.row(t), x.shape.cols());
  });
}

void rms_norm_heads(const Exec& exec, const HeadsView& heads, const WeightView& weight, float eps) {
  const bool own_weights = weight.data != nullptr && weight.shape.elements() != heads.head_dim;
  CISTERN_CHECK(!own_weights || weight.shape.elements() == std::uint64_t{heads.n_heads} * heads.head_dim);
  const std::uint64_t weight_step = own_weights ? heads.head_dim : 0;
  for_heads(exec, heads, [&](std::uint64_t t, std::uint32_t hi) {
    float* head = heads.head(t, hi);
    const float* w = weight.data != nullptr ? weight.f32() + hi * weight_step : nullptr;
    exec.kernels->rms_norm(head, w, eps, head, heads.head_dim);
  });
}

void layer_norm_heads(const Exec& exec, const HeadsView& heads, const WeightView& weights, float eps) {
  CISTERN_CHECK(weights.shape.elements() == std::uint64_t{heads.n_heads} * heads.head_dim);
  for_heads(exec, heads, [&](std::uint64_t t, std::uint32_t hi) {
    float* head = heads.head(t, hi);
    exec.kernels->layer_norm(head, weights.f32() + hi * heads.head_dim, nullptr, eps, head, heads.head_dim);
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

void scale_by_position(const Exec& exec, const HeadsView& heads, const Temperature& temperature,
                       std::uint32_t first_position) {
  for_rows(exec, heads.rows.shape.rows(), [&](std::uint64_t t) {
    const std::uint64_t steps = (first_position + t + temperature.offset) / temperature.length;
    const float factor = 1.0F + temperature.scale * std::log(1.0F + static_cast<float>(steps));
    for (std::uint32_t hi = 0; hi < heads.n_heads; ++hi)
      exec.kernels->scale(factor, heads.head(t, hi), heads.head_dim);
  });
}

void add(const Exec& exec, const TensorView& x, const TensorView& y, float factor) {
  CISTERN_CHECK(x.shape == y.shape);
  for_rows(exec, x.shape.rows(),
           [&](std::uint64_t t) { exec.kernels->add_scaled(factor, y.row(t), x.row(t), x.shape.cols()); });
}

void copy(const Exec& exec, const TensorView& x, const TensorView& out) {
  CISTERN_CHECK(x.shape == out.shape);
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) { std::copy_n(x.row(t), x.shape.cols(), out.row(t)); });
}

void copy_heads(const Exec& exec, const HeadsView& x, const HeadsView& out) {
  CISTERN_CHECK(x.n_heads == out.n_heads && x.head_dim == out.head_dim);
  for_heads(exec, x, [&](std::uint64_t t, std::uint32_t hi) {
    std::copy_n(x.head(t, hi), x.head_dim, out.head(t, hi));
  });
}

void scaled_copy(const Exec& exec, float factor, const TensorView& x, const TensorView& out) {
  copy(exec, x, out);
  scale(exec, factor, out);
}

void scale_rows_by_sigmoid(const Exec& exec, const TensorView& score, const TensorView& x) {
  CISTERN_CHECK(score.shape == Shape(1, x.shape.rows()));
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) {
    exec.kernels->scale(1.0F / (1.0F + std::exp(-*score.row(t))), x.row(t), x.shape.cols());
  });
}

void scale_columns(const Exec& exec, const WeightView& weight, const TensorView& x) {
  CISTERN_CHECK(weight.data != nullptr && fits(weight, x.shape.cols()));
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) {
    float* row = x.row(t);
    for (std::uint64_t i = 0; i < x.shape.cols(); ++i) row[i] *= weight.f32()[i];
  });
}

void statistical_top_k(const Exec& exec, float deviations, const HeadsView& heads) {
  for_heads(exec, heads, [&](std::uint64_t t, std::uint32_t hi) {
    const std::span<float> x(heads.head(t, hi), heads.head_dim);
    const Moments moments = moments_of(x);
    const float cutoff = moments.mean + deviations * moments.deviation;
    for (float& value : x) value = std::max(value - cutoff, 0.0F);
  });
}

void scale(const Exec& exec, float factor, const TensorView& x) {
  for_rows(exec, x.shape.rows(),
           [&](std::uint64_t t) { exec.kernels->scale(factor, x.row(t), x.shape.cols()); });
}

void scale(const Exec& exec, float factor, const HeadsView& heads) {
  for_heads(exec, heads, [&](std::uint64_t t, std::uint32_t hi) {
    exec.kernels->scale(factor, heads.head(t, hi), heads.head_dim);
  });
}

void gate(const Exec& exec, const GateArgs& args) {
  const std::uint64_t cols = args.out.shape.cols();
  const bool has_up = args.up.data != nullptr;
  CISTERN_CHECK(args.gate_col + cols <= args.gate.shape.cols() &&
                (!has_up || args.up_col + cols <= args.up.shape.cols()));
  const auto row = kernels::elementwise_kernels(exec.kernels->isa).gate[static_cast<std::size_t>(args.fn)];
  for_rows(exec, args.out.shape.rows(), [&](std::uint64_t t) {
    row(args.gate.row(t) + args.gate_col, has_up ? args.up.row(t) + args.up_col : nullptr, args.out.row(t),
        cols, args.limit);
  });
}

void gate_heads(const Exec& exec, const HeadsView& gates, const HeadsView& x) {
  CISTERN_CHECK(gates.n_heads == x.n_heads && gates.head_dim == x.head_dim);
  const auto row =
      kernels::elementwise_kernels(exec.kernels->isa).gate[static_cast<std::size_t>(GateFn::kSigmoid)];
  for_heads(exec, x, [&](std::uint64_t t, std::uint32_t hi) {
    row(gates.head(t, hi), x.head(t, hi), x.head(t, hi), x.head_dim, 0);
  });
}

void softcap(const Exec& exec, float cap, const TensorView& x) {
  const kernels::ElementwiseKernels& kernels = kernels::elementwise_kernels(exec.kernels->isa);
  for_rows(exec, x.shape.rows(), [&](std::uint64_t t) { kernels.softcap(cap, x.row(t), x.shape.cols()); });
}

}  // namespace cistern::ops
