#include "ops/streams.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "ops/rows.h"

namespace cistern::ops {
namespace {

// Of the mean square that a head is divided by, at the least.
constexpr double kLeastMeanSquare = 1e-5;

double mean_square(const Exec& exec, const float* x, std::uint64_t n) {
  return double{exec.kernels->dot(x, x, n)} / static_cast<double>(n);
}

}  // namespace

void add_to_heads(const Exec& exec, const TensorView& x, const HeadsView& heads) {
  CISTERN_CHECK(x.shape == Shape(heads.head_dim, heads.rows.shape.rows()));
  for_heads(exec, heads, [&](std::uint64_t t, std::uint32_t hi) {
    exec.kernels->add_scaled(1.0F, x.row(t), heads.head(t, hi), heads.head_dim);
  });
}

void add_heads(const Exec& exec, const HeadsView& heads, const TensorView& out) {
  CISTERN_CHECK(out.shape == Shape(heads.head_dim, heads.rows.shape.rows()));
  for_heads(exec, heads, [&](std::uint64_t t, std::uint32_t hi) {
    exec.kernels->add_scaled(1.0F, heads.head(t, hi), out.row(t), heads.head_dim);
  });
}

void match_magnitude(const Exec& exec, const HeadsView& like, const HeadsView& heads) {
  CISTERN_CHECK(like.rows.shape.rows() == heads.rows.shape.rows());
  for_heads(exec, heads, [&](std::uint64_t t, std::uint32_t hi) {
    const double wanted = mean_square(exec, like.head(t, 0), like.head_dim);
    float* head = heads.head(t, hi);
    const double found = std::max(mean_square(exec, head, heads.head_dim), kLeastMeanSquare);
    exec.kernels->scale(static_cast<float>(std::sqrt(wanted / found)), head, heads.head_dim);
  });
}

void predict_streams(const Exec& exec, const TensorView& coefs, const HeadsView& streams) {
  const std::uint64_t n = streams.n_heads;
  const std::uint64_t dim = streams.head_dim;
  CISTERN_CHECK(coefs.shape == Shape(n * n, streams.rows.shape.rows()) &&
                n * dim <= exec.scratch_floats_per_thread);
  for_shares(exec, streams.rows.shape.rows(), 1, [&](int thread, Range range) {
    float* before = exec.scratch_of(thread);
    for (std::uint64_t t = range.begin; t < range.end; ++t) {
      for (std::uint32_t i = 0; i < n; ++i) std::copy_n(streams.head(t, i), dim, before + i * dim);
      for (std::uint32_t j = 0; j < n; ++j) {
        for (std::uint64_t i = 0; i < n; ++i)
          exec.kernels->add_scaled(coefs.row(t)[j * n + i], before + i * dim, streams.head(t, j), dim);
      }
    }
  });
}

void correct_streams(const Exec& exec, const TensorView& coefs, const TensorView& x, std::uint32_t active,
                     const HeadsView& streams) {
  const std::uint64_t dim = streams.head_dim;
  CISTERN_CHECK(coefs.shape == Shape(streams.n_heads, streams.rows.shape.rows()) &&
                x.shape == Shape(dim, streams.rows.shape.rows()) && active < streams.n_heads &&
                dim <= exec.scratch_floats_per_thread);
  for_shares(exec, streams.rows.shape.rows(), 1, [&](int thread, Range range) {
    float* news = exec.scratch_of(thread);
    for (std::uint64_t t = range.begin; t < range.end; ++t) {
      std::copy_n(x.row(t), dim, news);
      exec.kernels->add_scaled(-1.0F, streams.head(t, active), news, dim);
      for (std::uint32_t j = 0; j < streams.n_heads; ++j)
        exec.kernels->add_scaled(1.0F + coefs.row(t)[j], news, streams.head(t, j), dim);
    }
  });
}

}  // namespace cistern::ops
