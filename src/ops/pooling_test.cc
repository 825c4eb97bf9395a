#include "ops/pooling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

namespace cistern::ops {
namespace {

TEST(Pooling, sums_of_tokens_are_the_same_bits_in_any_chunks_and_on_any_threads) {
  constexpr std::uint64_t kCols = 333;
  constexpr std::uint64_t kTokens = 50;
  Rng rng(1);
  std::vector<float> values(kCols * kTokens);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1);
  const auto rows = [&](std::uint64_t first, std::uint64_t count) {
    return TensorView{.shape = Shape(kCols, count),
                      .data = reinterpret_cast<std::byte*>(values.data() + first * kCols)};
  };
  std::vector<double> expected(kCols);
  for (std::uint64_t t = 0; t < kTokens; ++t) {
    for (std::uint64_t i = 0; i < kCols; ++i) expected[i] += double{values[t * kCols + i]};
  }
  for (const int threads : {1, 2, 3}) {
    sys::ThreadPool pool(threads);
    const Exec exec{.pool = &pool};
    for (const std::uint64_t chunk : {1U, 7U, 50U}) {
      std::vector<double> sums(kCols);
      for (std::uint64_t t = 0; t < kTokens; t += chunk)
        add_rows(exec, rows(t, std::min(chunk, kTokens - t)), sums);
      EXPECT_EQ(sums, expected) << threads << " threads, chunks of " << chunk;
    }
  }
}

TEST(Pooling, vectors_get_length_one) {
  std::vector<float> x = {3, 0, -4};
  scale_to_unit_length(x);
  EXPECT_EQ(x, (std::vector<float>{0.6F, 0, -0.8F}));
  std::vector<float> large(10, 3e38F);  // whose squares are beyond a float
  scale_to_unit_length(large);
  EXPECT_FLOAT_EQ(large[0], static_cast<float>(1 / std::sqrt(10.0)));
  std::vector<float> zeros(3);
  scale_to_unit_length(zeros);
  EXPECT_EQ(zeros, std::vector<float>(3));
}

}  // namespace
}  // namespace cistern::ops
