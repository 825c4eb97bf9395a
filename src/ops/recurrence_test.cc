// Short convolution and state space against plain double arithmetic, and with the same bits however the
// tokens are cut and by however many threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.h"
#include "ops/mamba2.h"
#include "ops/short_conv.h"

namespace cistern::ops {
namespace {

using Floats = std::vector<float>;

Floats random_values(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  Floats values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1);
  return values;
}

TensorView view(Floats& values, std::uint64_t cols) {
  return {.shape = Shape(cols, values.size() / cols), .data = reinterpret_cast<std::byte*>(values.data())};
}

WeightView weight(const Floats& values, std::uint64_t cols) {
  return {.dtype = DType::kF32,
          .shape = Shape(cols, values.size() / cols),
          .data = reinterpret_cast<const std::byte*>(values.data())};
}

struct Threads {
  explicit Threads(int n) : pool(n) {}
  sys::ThreadPool pool;
  Exec exec{.pool = &pool, .kernels = &kernels::resolve(sys::best_isa())};
};

// Ways to feed kTokens tokens by so many threads.
constexpr std::uint64_t kTokens = 37;
struct Feed {
  std::uint64_t chunk;
  int threads;
};
constexpr Feed kWhole = {kTokens, 1};
constexpr Feed kOthers[] = {{kTokens, 3}, {7, 2}, {1, 1}, {1, 4}};

template <class F>
void for_chunks(std::uint64_t chunk, const F& f) {
  for (std::uint64_t t = 0; t < kTokens; t += chunk) f(t, std::min(chunk, kTokens - t));
}

// A convolution of some columns of wide rows, between gates when `gated`.
struct Convolution {
  std::uint64_t width, channels;
  bool gated;
  Floats kernel = random_values(width * channels, 1);
  Floats bias = random_values(channels, 2);
  Floats x = random_values(kTokens * 3 * channels, 3);

  Floats run(const Feed& feed) const {
    Threads threads(feed.threads);
    Floats rows = x;
    Floats out(kTokens * channels);
    Floats state((width - 1) * channels);
    for_chunks(feed.chunk, [&](std::uint64_t t, std::uint64_t n) {
      ShortConv conv{.x = view(rows, 3 * channels).rows(t, n),
                     .x_col = 2 * channels,
                     .kernel = weight(kernel, width),
                     .bias = weight(bias, channels),
                     .silu = !gated,
                     .state = state,
                     .out = view(out, channels).rows(t, n)};
      if (gated) conv.input_gate_col = 0;
      if (gated) conv.output_gate_col = channels;
      short_conv(threads.exec, conv);
    });
    return out;
  }

  double input(std::uint64_t t, std::uint64_t c) const {
    const float* row = x.data() + t * 3 * channels;
    return gated ? double{row[2 * channels + c]} * row[c] : row[2 * channels + c];
  }

  double expected(std::uint64_t t, std::uint64_t c) const {
    double sum = bias[c];
    for (std::uint64_t k = 0; k < width; ++k) {
      if (t + k + 1 >= width) sum += kernel[c * width + k] * input(t + k + 1 - width, c);
    }
    return gated ? sum * x[t * 3 * channels + channels + c] : sum / (1 + std::exp(-sum));
  }
};

TEST(ShortConv, follows_its_formula_with_the_same_bits_for_any_chunks_and_threads) {
  for (const bool gated : {false, true}) {
    for (const std::uint64_t width : {2U, 3U, 4U, 8U}) {
      for (const std::uint64_t channels : {1U, 64U, 200U, 9000U}) {
        const Convolution conv{.width = width, .channels = channels, .gated = gated};
        const Floats out = conv.run(kWhole);
        for (std::uint64_t t = 0; t < kTokens; ++t) {
          for (std::uint64_t c = 0; c < channels; ++c)
            ASSERT_NEAR(out[t * channels + c], conv.expected(t, c), 1e-5) << width << " " << t << " " << c;
        }
        for (const Feed& feed : kOthers) EXPECT_EQ(conv.run(feed), out);
      }
    }
  }
}

TEST(ShortConv, works_in_place) {
  const std::uint64_t channels = 70;
  const Floats kernel = random_values(4 * channels, 1);
  const Floats x = random_values(kTokens * channels, 2);
  Threads threads(2);
  const auto run = [&](Floats& from, Floats& to) {
    Floats state(3 * channels);
    short_conv(
        threads.exec,
        {.x = view(from, channels), .kernel = weight(kernel, 4), .state = state, .out = view(to, channels)});
  };
  Floats rows = x;
  Floats out(x.size());
  run(rows, out);
  run(rows, rows);
  EXPECT_EQ(rows, out);
}

// Heads of a size that fills no whole block, in two groups.
struct Space {
  static constexpr std::uint32_t kHeads = 6, kDim = 40, kGroups = 2, kState = 24;
  static constexpr std::uint32_t kInner = kHeads * kDim, kCols = kInner + 2 * kGroups * kState + kHeads;
  Floats rows = random_values(kTokens * kCols, 1);
  Floats dt_bias = random_values(kHeads, 2);
  Floats a = random_values(kHeads, 3);
  Floats d = random_values(kHeads, 4);

  Space() {
    for (float& v : a) v = -std::exp(v);
    rows[kCols - kHeads] = 30;  // a step beyond where softplus bends
  }

  Floats run(const Feed& feed) {
    Threads threads(feed.threads);
    Floats out(kTokens * kInner);
    Floats state(std::size_t{kInner} * kState);
    for_chunks(feed.chunk, [&](std::uint64_t t, std::uint64_t n) {
      const TensorView part = view(rows, kCols).rows(t, n);
      state_space(threads.exec, {.x = {part, 0, kHeads, kDim},
                                 .b = {part, kInner, kGroups, kState},
                                 .c = {part, kInner + kGroups * kState, kGroups, kState},
                                 .dt = {part, kCols - kHeads, kHeads, 1},
                                 .dt_bias = weight(dt_bias, kHeads),
                                 .a = weight(a, kHeads),
                                 .d = weight(d, kHeads),
                                 .state = state,
                                 .out = view(out, kInner).rows(t, n)});
    });
    return out;
  }

  std::vector<double> expected() const {
    std::vector<double> state(std::size_t{kInner} * kState);
    std::vector<double> out;
    for (std::uint64_t t = 0; t < kTokens; ++t) {
      const float* row = rows.data() + t * kCols;
      for (std::uint32_t i = 0; i < kInner; ++i) {
        const std::uint32_t hi = i / kDim;
        const float* b = row + kInner + hi / (kHeads / kGroups) * kState;
        const float* c = b + std::uint64_t{kGroups} * kState;
        const double step = std::log1p(std::exp(double{row[kCols - kHeads + hi]} + dt_bias[hi]));
        double y = double{d[hi]} * row[i];
        for (std::uint32_t s = 0; s < kState; ++s) {
          double& h = state[std::size_t{i} * kState + s];
          h = std::exp(step * a[hi]) * h + step * row[i] * b[s];
          y += h * c[s];
        }
        out.push_back(y);
      }
    }
    return out;
  }
};

TEST(StateSpace, follows_its_formula_with_the_same_bits_for_any_chunks_and_threads) {
  Space space;
  const Floats out = space.run(kWhole);
  const std::vector<double> expected = space.expected();
  for (std::size_t i = 0; i < out.size(); ++i)
    ASSERT_NEAR(out[i], expected[i], 1e-5 * (1 + std::fabs(expected[i]))) << i;
  for (const Feed& feed : kOthers) EXPECT_EQ(space.run(feed), out);
}

TEST(RmsNormHeads, takes_one_weight_for_all_heads_or_one_for_each) {
  constexpr std::uint32_t kDim = 5;
  Threads threads(1);
  const Floats x = random_values(2 * kDim, 1);
  const Floats weights = random_values(2 * kDim, 2);
  for (const bool own : {false, true}) {
    Floats rows = x;
    const Floats used(weights.begin(), own ? weights.end() : weights.begin() + kDim);
    rms_norm_heads(threads.exec, {view(rows, 2 * kDim), 0, 2, kDim}, weight(used, kDim), 1e-5F);
    for (std::uint32_t i = 0; i < 2 * kDim; ++i) {
      double square = 0;
      for (std::uint32_t j = 0; j < kDim; ++j) square += std::pow(double{x[i / kDim * kDim + j]}, 2) / kDim;
      EXPECT_NEAR(rows[i], x[i] / std::sqrt(square + 1e-5) * used[i % used.size()], 1e-5);
    }
  }
}

}  // namespace
}  // namespace cistern::ops
