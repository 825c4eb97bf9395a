#include "ops/hyper_connection.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"

namespace cistern::ops {
namespace {

float sigmoid(float x) {
  return 1.0F / (1.0F + std::exp(-x));
}

// A softmax of each row of the n x n matrix, then columns and rows normalised in turn (Sinkhorn & Knopp
// 1967).
void make_doubly_stochastic(float* m, std::uint32_t n, const HyperWeights& hyper) {
  for (std::uint32_t r = 0; r < n; ++r) {
    float* row = m + r * n;
    const float most = *std::max_element(row, row + n);
    float sum = 0;
    for (std::uint32_t c = 0; c < n; ++c) sum += row[c] = std::exp(row[c] - most);
    for (std::uint32_t c = 0; c < n; ++c) row[c] = row[c] / sum + hyper.eps;
  }
  const auto normalise = [&](std::uint32_t line_step, std::uint32_t item_step) {
    for (std::uint32_t line = 0; line < n; ++line) {
      float sum = 0;
      for (std::uint32_t i = 0; i < n; ++i) sum += m[line * line_step + i * item_step];
      for (std::uint32_t i = 0; i < n; ++i) m[line * line_step + i * item_step] /= sum + hyper.eps;
    }
  };
  normalise(1, n);
  for (std::uint32_t i = 1; i < hyper.iterations; ++i) {
    normalise(n, 1);
    normalise(1, n);
  }
}

void project_streams(const Exec& exec, const HyperWeights& hyper, const TensorView& streams,
                     const TensorView& normed, const TensorView& weights) {
  rms_norm(exec, streams, {}, hyper.norm_eps, normed);
  matmul_in_floats(exec, hyper.fn, normed, weights);
}

// out[t] = sum over streams of weight times stream.
void weighted_sum(const Exec& exec, const TensorView& streams, const TensorView& weights, std::uint32_t n,
                  const TensorView& out) {
  const std::uint64_t dim = out.shape.cols();
  for_shares(exec, out.shape.rows(), 1, [&](int, Range rows) {
    for (std::uint64_t t = rows.begin; t < rows.end; ++t) {
      std::fill_n(out.row(t), dim, 0.0F);
      for (std::uint32_t k = 0; k < n; ++k)
        exec.kernels->add_scaled(weights.row(t)[k], streams.row(t) + k * dim, out.row(t), dim);
    }
  });
}

}  // namespace

void enter_block(const Exec& exec, const HyperWeights& hyper, const TensorView& streams,
                 const TensorView& normed, const TensorView& weights, const TensorView& out) {
  const std::uint32_t n = hyper.n_streams;
  CISTERN_CHECK(weights.shape.cols() == (2 + n) * n);
  project_streams(exec, hyper, streams, normed, weights);
  const float* base = hyper.base.f32();
  const float* scale = hyper.scale.f32();
  for_shares(exec, weights.shape.rows(), 1, [&](int, Range rows) {
    for (std::uint64_t t = rows.begin; t < rows.end; ++t) {
      float* w = weights.row(t);
      for (std::uint32_t i = 0; i < (2 + n) * n; ++i) w[i] = w[i] * scale[std::min(i / n, 2U)] + base[i];
      for (std::uint32_t i = 0; i < n; ++i) w[i] = sigmoid(w[i]) + hyper.eps;
      for (std::uint32_t i = n; i < 2 * n; ++i) w[i] = 2.0F * sigmoid(w[i]);
      make_doubly_stochastic(w + 2 * n, n, hyper);
    }
  });
  weighted_sum(exec, streams, weights, n, out);
}

void leave_block(const Exec& exec, std::uint32_t n, const TensorView& weights, const TensorView& result,
                 const TensorView& next, const TensorView& streams) {
  const std::uint64_t dim = result.shape.cols();
  for_shares(exec, result.shape.rows(), 1, [&](int, Range rows) {
    for (std::uint64_t t = rows.begin; t < rows.end; ++t) {
      const float* post = weights.row(t) + n;
      const float* mixing = weights.row(t) + 2 * n;
      for (std::uint32_t k = 0; k < n; ++k) {
        float* out = next.row(t) + k * dim;
        std::fill_n(out, dim, 0.0F);
        exec.kernels->add_scaled(post[k], result.row(t), out, dim);
        for (std::uint32_t j = 0; j < n; ++j)
          exec.kernels->add_scaled(mixing[j * n + k], streams.row(t) + j * dim, out, dim);
      }
      std::copy_n(next.row(t), n * dim, streams.row(t));
    }
  });
}

void join_streams(const Exec& exec, const HyperWeights& hyper, const TensorView& streams,
                  const TensorView& normed, const TensorView& weights, const TensorView& out) {
  const std::uint32_t n = hyper.n_streams;
  CISTERN_CHECK(weights.shape.cols() == n);
  project_streams(exec, hyper, streams, normed, weights);
  for (std::uint64_t t = 0; t < weights.shape.rows(); ++t) {
    float* w = weights.row(t);
    for (std::uint32_t i = 0; i < n; ++i)
      w[i] = sigmoid(w[i] * hyper.scale.f32()[0] + hyper.base.f32()[i]) + hyper.eps;
  }
  weighted_sum(exec, streams, weights, n, out);
}

}  // namespace cistern::ops
