// Every float kernel of every ISA this machine has, against double arithmetic and against the other ISAs and
// tile shapes bit for bit.
#include "kernels/kernel_table.h"
#include "kernels/isa_test.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/rng.h"

namespace cistern::kernels {
namespace {

std::vector<float> random_values(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1);
  return values;
}

class Kernels : public ::testing::TestWithParam<sys::Isa> {
 protected:
  const KernelTable& table() const { return resolve(GetParam()); }
};

TEST_P(Kernels, table_is_complete_and_says_its_isa) {
  EXPECT_EQ(table().isa, GetParam());
  for (const quant::Format& format : quant::all_formats()) {
    EXPECT_EQ(table().dequantize[static_cast<std::size_t>(format.dtype)] != nullptr,
              format.dequantize != nullptr)
        << format.name;
  }
}

TEST_P(Kernels, dot_agrees_with_double_arithmetic_for_every_length) {
  for (std::size_t n = 0; n < 200; ++n) {
    const auto a = random_values(n, n);
    const auto b = random_values(n, n + 1000);
    double exact = 0;
    double magnitude = 0;
    for (std::size_t i = 0; i < n; ++i) {
      exact += double{a[i]} * b[i];
      magnitude += std::fabs(double{a[i]} * b[i]);
    }
    // Each of n products and n sums rounds once, relative to partial sums no larger than the magnitude.
    EXPECT_NEAR(table().dot(a.data(), b.data(), n), exact, 2.0 * static_cast<double>(n) * 0x1p-24 * magnitude)
        << n;
  }
}

TEST_P(Kernels, dot_tile_gives_the_bits_of_single_dots_for_every_tile_shape) {
  for (const std::size_t n : {1U, 15U, 16U, 17U, 100U, 256U}) {
    const auto w = random_values(n * kTileRows, 7);
    const auto x = random_values(n * kTileTokens, 8);
    for (int rows = 1; rows <= kTileRows; ++rows) {
      for (int tokens = 1; tokens <= kTileTokens; ++tokens) {
        float out[kTileRows * kTileTokens];
        table().dot_tile({.w = w.data(),
                          .w_stride = n,
                          .n_rows = rows,
                          .x = x.data(),
                          .x_stride = n,
                          .n_tokens = tokens,
                          .n = n,
                          .out = out,
                          .out_stride = kTileRows});
        for (int t = 0; t < tokens; ++t) {
          for (int r = 0; r < rows; ++r) {
            const float alone = table().dot(w.data() + static_cast<std::size_t>(r) * n,
                                            x.data() + static_cast<std::size_t>(t) * n, n);
            EXPECT_EQ(std::memcmp(&out[t * kTileRows + r], &alone, sizeof alone), 0) << rows << "x" << tokens;
          }
        }
      }
    }
  }
}

TEST_P(Kernels, every_isa_gives_the_bits_of_scalar) {
  const KernelTable& scalar = resolve(sys::Isa::kScalar);
  const std::size_t n = 333;
  const auto a = random_values(n, 1);
  const auto b = random_values(n, 2);
  EXPECT_EQ(table().dot(a.data(), b.data(), n), scalar.dot(a.data(), b.data(), n));
  auto ours = a;
  auto theirs = a;
  table().add_scaled(0.3F, b.data(), ours.data(), n);
  scalar.add_scaled(0.3F, b.data(), theirs.data(), n);
  EXPECT_EQ(ours, theirs);
  table().rms_norm(a.data(), b.data(), 1e-5F, ours.data(), n);
  scalar.rms_norm(a.data(), b.data(), 1e-5F, theirs.data(), n);
  EXPECT_EQ(ours, theirs);
  table().scale(0.7F, ours.data(), n);
  scalar.scale(0.7F, theirs.data(), n);
  EXPECT_EQ(ours, theirs);
}

TEST_P(Kernels, advance_state_follows_its_formula_with_the_bits_of_scalar_for_any_rows_and_length) {
  for (const std::size_t n : {1U, 15U, 16U, 50U, 128U}) {
    for (std::size_t n_rows = 1; n_rows <= 9; ++n_rows) {
      const auto start = random_values(n * n_rows, 1);
      const auto x = random_values(n_rows, 2);
      const auto b = random_values(n, 3);
      const auto c = random_values(n, 4);
      auto state = start;
      auto scalar_state = start;
      std::vector<float> out(n_rows);
      std::vector<float> scalar_out(n_rows);
      StateRows rows{.state = state.data(),
                     .n_rows = n_rows,
                     .n = n,
                     .decay = 0.9F,
                     .step = 0.3F,
                     .x = x.data(),
                     .b = b.data(),
                     .c = c.data(),
                     .out = out.data()};
      table().advance_state(rows);
      rows.state = scalar_state.data();
      rows.out = scalar_out.data();
      resolve(sys::Isa::kScalar).advance_state(rows);
      EXPECT_EQ(state, scalar_state);
      EXPECT_EQ(out, scalar_out);
      for (std::size_t r = 0; r < n_rows; ++r) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
          const double h = double{0.9F} * start[r * n + i] + double{0.3F} * x[r] * b[i];
          EXPECT_NEAR(state[r * n + i], h, 1e-6);
          sum += h * c[i];
        }
        EXPECT_NEAR(out[r], sum, 1e-5);
      }
    }
  }
}

TEST_P(Kernels, rms_norm_follows_its_formula) {
  const std::size_t n = 77;
  const auto x = random_values(n, 3);
  const auto w = random_values(n, 4);
  double mean = 0;
  for (const float v : x) mean += double{v} * v / static_cast<double>(n);
  std::vector<float> y(n);
  table().rms_norm(x.data(), w.data(), 1e-5F, y.data(), n);
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(y[i], x[i] / std::sqrt(mean + 1e-5) * w[i], 1e-5);
}

TEST_P(Kernels, layer_norm_follows_its_formula_with_the_bits_of_scalar_in_place_or_not) {
  for (const std::size_t n : {1U, 2U, 15U, 16U, 17U, 77U, 256U, 333U}) {
    auto x = random_values(n, 3);
    for (float& v : x) v = 3 * v + 5;  // a mean far from 0
    const auto w = random_values(n, 4);
    const auto b = random_values(n, 5);
    for (const bool biased : {false, true}) {
      const float* bias = biased ? b.data() : nullptr;
      std::vector<float> y(n);
      table().layer_norm(x.data(), w.data(), bias, 1e-5F, y.data(), n);
      double mean = 0;
      double variance = 0;
      for (const float v : x) mean += v / static_cast<double>(n);
      for (const float v : x) variance += (v - mean) * (v - mean) / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i) {
        const double exact = (x[i] - mean) / std::sqrt(variance + 1e-5) * w[i] + (biased ? b[i] : 0.0F);
        EXPECT_NEAR(y[i], exact, 1e-5) << n << " values, at " << i;
      }
      std::vector<float> scalar(n);
      resolve(sys::Isa::kScalar).layer_norm(x.data(), w.data(), bias, 1e-5F, scalar.data(), n);
      EXPECT_EQ(y, scalar) << n;
      auto in_place = x;
      table().layer_norm(in_place.data(), w.data(), bias, 1e-5F, in_place.data(), n);
      EXPECT_EQ(in_place, y) << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Kernels, ::testing::ValuesIn(host_isas()), isa_test_name);

}  // namespace
}  // namespace cistern::kernels
