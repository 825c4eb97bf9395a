// Hyper-connections against plain double arithmetic, and the same bits for any threads and number of rows.
#include "ops/hyper_connection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "ops/elementwise.h"
#include "ops/op_test.h"

namespace cistern::ops {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

constexpr std::uint64_t kTokens = 6;
constexpr float kNormEps = 1e-5F;
constexpr float kEps = 1e-4F;

// One connection and the streams that it meets.
struct Connection {
  std::uint32_t n;  // streams
  std::uint64_t dim;
  std::uint64_t outputs;
  Weights fn;
  Floats base = random_values(outputs, 2);
  Floats scale = random_values(3, 3);
  Floats streams = random_values(kTokens * n * dim, 4, 2);

  Connection(std::uint32_t n_streams, std::uint64_t width, bool joins, DType type)
      : n(n_streams),
        dim(width),
        outputs(joins ? n : (2 + n) * n),
        fn(random_weights(type, n * dim, outputs, 2)) {}

  HyperWeights weights() const {
    return {.fn = fn.view,
            .base = f32_weight(base, Shape(outputs)),
            .scale = f32_weight(scale, Shape(3)),
            .n_streams = n,
            .iterations = 3,
            .norm_eps = kNormEps,
            .eps = kEps};
  }

  // What fn gives for the normed streams of a token, before scale and base.
  Doubles projected(std::uint64_t t) const {
    const std::uint64_t width = n * dim;
    double square = 0;
    for (std::uint64_t i = 0; i < width; ++i) square += std::pow(double{streams[t * width + i]}, 2);
    const double norm = 1 / std::sqrt(square / static_cast<double>(width) + kNormEps);
    Doubles out(outputs);
    for (std::uint64_t r = 0; r < outputs; ++r) {
      for (std::uint64_t i = 0; i < width; ++i)
        out[r] += double{fn.decoded[r * width + i]} * streams[t * width + i] * norm;
    }
    return out;
  }
};

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// pre, post and the mixing matrix of a token (Xie et al. 2026).
Doubles expected_weights(const Connection& c, std::uint64_t t) {
  const std::uint32_t n = c.n;
  Doubles w = c.projected(t);
  for (std::uint32_t i = 0; i < c.outputs; ++i)
    w[i] = w[i] * c.scale[i < n ? 0 : i < 2 * n ? 1 : 2] + c.base[i];
  for (std::uint32_t i = 0; i < n; ++i) w[i] = sigmoid(w[i]) + kEps;
  for (std::uint32_t i = n; i < 2 * n; ++i) w[i] = 2 * sigmoid(w[i]);
  double* m = w.data() + 2 * std::size_t{n};
  for (std::uint32_t r = 0; r < n; ++r) {
    double sum = 0;
    for (std::uint32_t k = 0; k < n; ++k) sum += std::exp(m[r * n + k]);
    for (std::uint32_t k = 0; k < n; ++k) m[r * n + k] = std::exp(m[r * n + k]) / sum + kEps;
  }
  // Columns, then rows and columns twice more: three iterations.
  for (int pass = 0; pass < 5; ++pass) {
    const std::uint32_t line_step = pass % 2 == 0 ? 1 : n;
    const std::uint32_t item_step = pass % 2 == 0 ? n : 1;
    for (std::uint32_t line = 0; line < n; ++line) {
      double sum = kEps;
      for (std::uint32_t i = 0; i < n; ++i) sum += m[line * line_step + i * item_step];
      for (std::uint32_t i = 0; i < n; ++i) m[line * line_step + i * item_step] /= sum;
    }
  }
  return w;
}

struct Outcome {
  Floats weights, out, streams;
  bool operator==(const Outcome&) const = default;
};

// Enters a block and leaves it with the block's input, halved, as its result.
Outcome enter_and_leave(const Connection& c, int threads, std::uint64_t chunk) {
  Machine machine(threads);
  Outcome r{Floats(kTokens * c.outputs), Floats(kTokens * c.dim), c.streams};
  Floats normed(c.streams.size());
  for (std::uint64_t t = 0; t < kTokens; t += chunk) {
    const auto part = [&](Floats& values, std::uint64_t cols) { return view(values, cols).rows(t, chunk); };
    const TensorView streams = part(r.streams, c.n * c.dim);
    enter_block(machine.exec, c.weights(), streams, part(normed, c.n * c.dim), part(r.weights, c.outputs),
                part(r.out, c.dim));
    Floats result = r.out;
    scale(machine.exec, 0.5F, view(result, c.dim));
    leave_block(machine.exec, c.n, part(r.weights, c.outputs), part(result, c.dim), part(normed, c.n * c.dim),
                streams);
  }
  return r;
}

TEST(HyperConnection, follows_its_formulas_with_the_same_bits_for_any_threads_and_rows) {
  for (const auto& [n, dim, type] : {std::tuple{1U, 37U, DType::kF32},
                                     {2U, 16U, DType::kQ8_0},
                                     {4U, 37U, DType::kF32},
                                     {4U, 64U, DType::kF16},
                                     {5U, 1U, DType::kF32}}) {
    const Connection c(n, dim, false, type);
    const Outcome r = enter_and_leave(c, 1, kTokens);
    for (std::uint64_t t = 0; t < kTokens; ++t) {
      const Doubles w = expected_weights(c, t);
      for (std::uint64_t i = 0; i < c.outputs; ++i)
        ASSERT_NEAR(r.weights[t * c.outputs + i], w[i], 1e-4) << i;
      const float* before = &c.streams[t * n * dim];
      for (std::uint64_t i = 0; i < dim; ++i) {
        double in = 0;
        for (std::uint32_t k = 0; k < n; ++k) in += w[k] * before[k * dim + i];
        ASSERT_NEAR(r.out[t * dim + i], in, 1e-3);
        for (std::uint32_t k = 0; k < n; ++k) {
          double out = w[n + k] * in / 2;
          for (std::uint32_t j = 0; j < n; ++j)
            out += w[2 * std::size_t{n} + std::size_t{j} * n + k] * before[j * dim + i];
          ASSERT_NEAR(r.streams[(t * n + k) * dim + i], out, 1e-3);
        }
      }
    }
    for (const auto& [threads, chunk] : {std::pair{3, kTokens}, {2, 2U}, {7, 1U}, {1, 1U}})
      EXPECT_EQ(enter_and_leave(c, threads, chunk), r) << threads << " threads, " << chunk << " rows";
  }
}

TEST(HyperConnection, mixing_is_nearly_doubly_stochastic) {
  const Connection c(4, 32, false, DType::kF32);
  HyperWeights weights = c.weights();
  weights.iterations = 100;
  weights.eps = 1e-6F;
  Floats streams = c.streams, normed(streams.size()), w(kTokens * c.outputs), out(kTokens * c.dim);
  enter_block(Machine(1).exec, weights, view(streams, 128), view(normed, 128), view(w, c.outputs),
              view(out, c.dim));
  for (std::uint64_t t = 0; t < kTokens; ++t) {
    const float* m = &w[t * c.outputs + 8];
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(m[i * 4] + m[i * 4 + 1] + m[i * 4 + 2] + m[i * 4 + 3], 1, 1e-3);
      EXPECT_NEAR(m[i] + m[i + 4] + m[i + 8] + m[i + 12], 1, 1e-3);
    }
  }
}

TEST(HyperConnection, streams_are_joined_in_the_end) {
  const Connection c(4, 37, true, DType::kF32);
  Floats first;
  for (const int threads : {1, 3}) {
    Floats streams = c.streams, normed(streams.size()), w(kTokens * c.n), out(kTokens * c.dim);
    join_streams(Machine(threads).exec, c.weights(), view(streams, c.n * c.dim), view(normed, c.n * c.dim),
                 view(w, c.n), view(out, c.dim));
    EXPECT_EQ(streams, c.streams);
    if (first.empty()) first = out;
    EXPECT_EQ(out, first);
  }
  for (std::uint64_t t = 0; t < kTokens; ++t) {
    const Doubles w = c.projected(t);
    for (std::uint64_t i = 0; i < c.dim; ++i) {
      double sum = 0;
      for (std::uint32_t k = 0; k < c.n; ++k)
        sum += (sigmoid(w[k] * c.scale[0] + c.base[k]) + kEps) * c.streams[(t * c.n + k) * c.dim + i];
      EXPECT_NEAR(first[t * c.dim + i], sum, 1e-4);
    }
  }
}

}  // namespace
}  // namespace cistern::ops
