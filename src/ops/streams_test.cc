// Ops on residual streams against plain double arithmetic, and "same bits" across threads and chunks.
#include "ops/streams.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "base/rng.h"

namespace cistern::ops {
namespace {

constexpr std::uint64_t kTokens = 5, kStreams = 4, kDim = 37, kWidth = kStreams * kDim;

std::vector<float> random_values(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1);
  return values;
}

TensorView view(std::vector<float>& values, std::uint64_t cols) {
  return {.shape = Shape(cols, values.size() / cols), .data = reinterpret_cast<std::byte*>(values.data())};
}

HeadsView streams(const TensorView& rows) {
  return {rows, 0, kStreams, kDim};
}

// Runs f(exec, rows, first token) on all tokens at once, then by other threads and in other chunks, which
// must give the same bits. The rows hold kStreams streams of random values before.
using Op = std::function<void(const Exec&, const TensorView&, std::uint64_t)>;
std::vector<float> run(const Op& f) {
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 3, 7}) {
    for (const std::uint64_t chunk : {kTokens, std::uint64_t{2}, std::uint64_t{1}}) {
      sys::ThreadPool pool(threads);
      std::vector<float> scratch(kWidth * static_cast<std::size_t>(threads));
      const Exec exec{.pool = &pool,
                      .kernels = &kernels::resolve(sys::best_isa()),
                      .scratch = scratch,
                      .scratch_floats_per_thread = kWidth};
      std::vector<float>& rows = results.emplace_back(random_values(kWidth * kTokens, 1));
      for (std::uint64_t t = 0; t < kTokens; t += chunk)
        f(exec, view(rows, kWidth).rows(t, std::min(chunk, kTokens - t)), t);
    }
  }
  for (const std::vector<float>& other : results) EXPECT_EQ(other, results[0]);
  return results[0];
}

const std::vector<float> kBefore = random_values(kWidth * kTokens, 1);

TEST(Streams, are_predicted_from_each_other) {
  std::vector<float> coefs = random_values(kStreams * kStreams * kTokens, 2);
  const std::vector<float> after = run([&](const Exec& exec, const TensorView& rows, std::uint64_t t) {
    predict_streams(exec, view(coefs, kStreams * kStreams).rows(t, rows.shape.rows()), streams(rows));
  });
  for (std::uint64_t i = 0; i < after.size(); ++i) {
    const std::uint64_t t = i / kWidth, j = i % kWidth / kDim, c = i % kDim;
    double exact = kBefore[i];
    for (std::uint64_t s = 0; s < kStreams; ++s)
      exact += double{coefs[(t * kStreams + j) * kStreams + s]} * kBefore[t * kWidth + s * kDim + c];
    EXPECT_NEAR(after[i], exact, 1e-6);
  }
}

TEST(Streams, are_corrected_by_what_the_active_one_has_become) {
  constexpr std::uint64_t kActive = 2;
  std::vector<float> coefs = random_values(kStreams * kTokens, 2);
  std::vector<float> x = random_values(kDim * kTokens, 3);
  const std::vector<float> after = run([&](const Exec& exec, const TensorView& rows, std::uint64_t t) {
    correct_streams(exec, view(coefs, kStreams).rows(t, rows.shape.rows()),
                    view(x, kDim).rows(t, rows.shape.rows()), kActive, streams(rows));
  });
  for (std::uint64_t i = 0; i < after.size(); ++i) {
    const std::uint64_t t = i / kWidth, j = i % kWidth / kDim, c = i % kDim;
    const double off = double{x[t * kDim + c]} - kBefore[t * kWidth + kActive * kDim + c];
    EXPECT_NEAR(after[i], kBefore[i] + (1.0 + coefs[t * kStreams + j]) * off, 1e-6);
  }
}

TEST(Streams, are_brought_to_the_magnitude_of_another) {
  const std::vector<float> after = run([](const Exec& exec, const TensorView& rows, std::uint64_t) {
    match_magnitude(exec, {rows, 0, 1, kDim}, {rows, kDim, kStreams - 1, kDim});
  });
  const auto mean_square = [](const float* x) {
    double sum = 0;
    for (std::uint64_t c = 0; c < kDim; ++c) sum += double{x[c]} * x[c];
    return sum / kDim;
  };
  for (std::uint64_t i = 0; i < after.size(); ++i) {
    const float* first = kBefore.data() + i / kWidth * kWidth;
    const float* own = kBefore.data() + i / kDim * kDim;
    EXPECT_NEAR(after[i], kBefore[i] * std::sqrt(mean_square(first) / mean_square(own)), 1e-6);
  }
}

TEST(Streams, of_nothing_keep_their_size) {
  std::vector<float> rows(2 * kDim, 0.0F);
  rows[0] = 1.0F;
  sys::ThreadPool pool(1);
  const Exec exec{.pool = &pool, .kernels = &kernels::resolve(sys::best_isa())};
  match_magnitude(exec, {view(rows, 2 * kDim), 0, 1, kDim}, {view(rows, 2 * kDim), kDim, 1, kDim});
  for (std::uint64_t c = kDim; c < 2 * kDim; ++c) EXPECT_EQ(rows[c], 0.0F);
}

TEST(Streams, are_copied_and_added) {
  std::vector<float> x = random_values(kDim * kTokens, 3);
  const std::vector<float> after = run([&](const Exec& exec, const TensorView& rows, std::uint64_t t) {
    const TensorView added = view(x, kDim).rows(t, rows.shape.rows());
    add_to_heads(exec, added, {rows, kDim, kStreams - 1, kDim});
    copy_heads(exec, {added, 0, 1, kDim}, {rows, 0, 1, kDim});
  });
  for (std::uint64_t i = 0; i < after.size(); ++i) {
    const float added = x[i / kWidth * kDim + i % kDim];
    EXPECT_EQ(after[i], i % kWidth < kDim ? added : kBefore[i] + added);
  }
  std::vector<float> sum(kDim * kTokens), rows = kBefore;
  sys::ThreadPool pool(2);
  add_heads({.pool = &pool, .kernels = &kernels::resolve(sys::best_isa())}, streams(view(rows, kWidth)),
            view(sum, kDim));
  for (std::uint64_t i = 0; i < sum.size(); ++i) {
    double exact = 0;
    for (std::uint64_t s = 0; s < kStreams; ++s) exact += kBefore[i / kDim * kWidth + s * kDim + i % kDim];
    EXPECT_NEAR(sum[i], exact, 1e-6);
  }
}

TEST(Rows, are_scaled_by_column) {
  std::vector<float> weight = random_values(kWidth, 4);
  const WeightView w{.shape = Shape(kWidth), .data = reinterpret_cast<const std::byte*>(weight.data())};
  const std::vector<float> after =
      run([&](const Exec& exec, const TensorView& rows, std::uint64_t) { scale_columns(exec, w, rows); });
  for (std::uint64_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i], kBefore[i] * weight[i % kWidth]);
}

TEST(Rows, keep_what_is_so_many_deviations_above_their_mean) {
  constexpr float kDeviations = 0.5F;
  const std::vector<float> after = run([](const Exec& exec, const TensorView& rows, std::uint64_t) {
    statistical_top_k(exec, kDeviations, streams(rows));
  });
  int kept = 0;
  for (std::uint64_t i = 0; i < after.size(); ++i) {
    const float* head = kBefore.data() + i / kDim * kDim;
    double mean = 0, variance = 0;
    for (std::uint64_t c = 0; c < kDim; ++c) mean += double{head[c]} / kDim;
    for (std::uint64_t c = 0; c < kDim; ++c) variance += (head[c] - mean) * (head[c] - mean) / kDim;
    EXPECT_NEAR(after[i], std::max(kBefore[i] - (mean + kDeviations * std::sqrt(variance)), 0.0), 1e-6);
    kept += after[i] > 0;
  }
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, static_cast<int>(after.size() / 2));
}

}  // namespace
}  // namespace cistern::ops
