#include "ops/low_rank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.h"

namespace cistern::ops {
namespace {

constexpr std::uint64_t kRank = 5;
constexpr std::uint64_t kRows = 150;  // two tiles and a part
constexpr std::uint64_t kTokens = 9;
constexpr float kScale = 0.7F;

struct Floats {
  Floats(std::uint64_t n_cols, std::uint64_t rows, std::uint64_t seed) : cols(n_cols), values(n_cols * rows) {
    Rng rng(seed);
    for (float& value : values)
      value = static_cast<float>(static_cast<double>(rng.next() >> 11U) * 0x1p-52 - 1);
  }
  TensorView view() {
    return {.shape = Shape(cols, values.size() / cols), .data = reinterpret_cast<std::byte*>(values.data())};
  }
  WeightView weight(std::uint64_t matrices = 1) const {
    return {.shape = Shape(cols, values.size() / cols / matrices, matrices),
            .data = reinterpret_cast<const std::byte*>(values.data()),
            .row_bytes = cols * sizeof(float)};
  }
  const float* row(std::uint64_t i) const { return values.data() + i * cols; }

  std::uint64_t cols;
  std::vector<float> values;
};

class LowRank : public ::testing::TestWithParam<int> {
 protected:
  Exec exec() {
    return {.pool = &pool_,
            .kernels = &kernels::resolve(sys::best_isa()),
            .scratch = scratch_,
            .scratch_floats_per_thread = low_rank_scratch_floats(kRank)};
  }

  sys::ThreadPool pool_{GetParam()};
  std::vector<float> scratch_ =
      std::vector<float>(low_rank_scratch_floats(kRank) * static_cast<std::size_t>(GetParam()));
};

double dot(const float* a, const float* b) {
  double sum = 0;
  for (std::uint64_t k = 0; k < kRank; ++k) sum += double{a[k]} * b[k];
  return sum;
}

TEST_P(LowRank, one_matrix) {
  const Floats b(kRank, kRows, 1);
  Floats low(kRank, kTokens, 2), out(kRows, kTokens, 3);
  const Floats before = out;
  add_low_rank(exec(), b.weight(), low.view(), kScale, out.view());
  for (std::uint64_t t = 0; t < kTokens; ++t) {
    for (std::uint64_t r = 0; r < kRows; ++r)
      EXPECT_NEAR(out.row(t)[r], before.row(t)[r] + double{kScale} * dot(b.row(r), low.row(t)), 1e-5);
  }
  // Row by row: the same bits.
  Floats single = before;
  for (std::uint64_t t = 0; t < kTokens; ++t)
    add_low_rank(exec(), b.weight(), low.view().rows(t, 1), kScale, single.view().rows(t, 1));
  EXPECT_EQ(std::memcmp(single.values.data(), out.values.data(), out.values.size() * sizeof(float)), 0);
}

TEST_P(LowRank, experts) {
  const Floats b(kRank, 4 * kRows, 1);
  Floats low(kRank, kTokens, 2), out(kRows, kTokens, 3);
  const Floats before = out;
  const std::vector<std::uint32_t> matrix = {0, 3}, begin = {0, 2, kTokens}, source(kTokens);
  add_low_rank_experts(exec(), b.weight(4), low.view(), {matrix, begin, source}, kScale, out.view());
  for (std::uint64_t t = 0; t < kTokens; ++t) {
    const std::uint64_t expert = t < 2 ? 0 : 3;
    for (std::uint64_t r = 0; r < kRows; ++r) {
      EXPECT_NEAR(out.row(t)[r],
                  before.row(t)[r] + double{kScale} * dot(b.row(expert * kRows + r), low.row(t)), 1e-5);
    }
  }
}

TEST_P(LowRank, heads) {
  constexpr std::uint32_t kHeads = 3, kStep = kRows + 4;
  for (const std::uint64_t matrices : {1U, kHeads}) {
    const Floats b(kRank, matrices * kRows, 1);
    Floats low(kHeads * kRank, kTokens, 2), out(kHeads * kStep, kTokens, 3);
    const Floats before = out;
    add_low_rank_heads(exec(), b.weight(matrices), {low.view(), 0, kHeads, kRank}, kScale,
                       {out.view(), 0, kHeads, kRows, kStep});
    for (std::uint64_t t = 0; t < kTokens; ++t) {
      for (std::uint64_t i = 0; i < kHeads * kStep; ++i) {
        const std::uint64_t h = i / kStep, r = i % kStep;
        const std::uint64_t row = (matrices == 1 ? 0 : h * kRows) + r;
        const double added = r < kRows ? double{kScale} * dot(b.row(row), low.row(t) + h * kRank) : 0;
        EXPECT_NEAR(out.row(t)[i], before.row(t)[i] + added, 1e-5);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, LowRank, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace cistern::ops
