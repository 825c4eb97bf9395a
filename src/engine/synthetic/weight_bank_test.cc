#include "engine/synthetic/weight_bank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace cistern::engine {
namespace {

struct Moments {
  double mean, deviation, kurtosis;
};

Moments moments_of(std::span<const float> values) {
  double sum = 0, squares = 0, fourths = 0;
  const auto n = static_cast<double>(values.size());
  for (const float value : values) sum += value;
  const double mean = sum / n;
  for (const float value : values) {
    const double square = (value - mean) * (value - mean);
    squares += square;
    fourths += square * square;
  }
  return {mean, std::sqrt(squares / n), fourths / n / (squares / n) / (squares / n)};
}

std::vector<float> decoded(DType dtype, std::uint64_t seed, std::uint64_t cols, std::uint64_t rows,
                           float deviation) {
  const quant::Format& format = quant::format_of(dtype);
  BankCache banks(format, seed);
  WeightStream stream(banks, 77, cols, deviation);
  std::vector<std::byte> row(stream.row_bytes());
  std::vector<float> values(cols * rows);
  for (std::uint64_t i = 0; i < rows; ++i) {
    stream.next_row(row.data());
    format.dequantize(row.data(), values.data() + i * cols, cols);
  }
  return values;
}

TEST(Gaussian, HasTheMomentsOfANormalDistribution) {
  Rng rng(3);
  std::vector<float> values(200000);
  for (float& value : values) value = gaussian(rng);
  const Moments m = moments_of(values);
  EXPECT_NEAR(m.mean, 0, 0.01);
  EXPECT_NEAR(m.deviation, 1, 0.01);
  EXPECT_NEAR(m.kurtosis, 3 - 1.2 / 12, 0.05);  // Irwin-Hall of twelve
}

TEST(WeightStream, TypesEncodeTheSameFloats) {
  for (const std::uint64_t cols : {64U, 256U, 640U, 1056U, 2048U}) {
    const std::vector<float> exact = decoded(DType::kF32, 9, cols, 40, 0.02F);
    EXPECT_NEAR(moments_of(exact).deviation, 0.02, 0.002) << cols;
    for (const auto& [dtype, tolerance] : {std::pair{DType::kF16, 1e-4}, std::pair{DType::kBF16, 1e-3},
                                           std::pair{DType::kQ8_0, 1e-3}, std::pair{DType::kQ5_1, 8e-3}}) {
      const std::vector<float> coded = decoded(dtype, 9, cols, 40, 0.02F);
      for (std::size_t i = 0; i < exact.size(); ++i)
        ASSERT_NEAR(coded[i], exact[i], tolerance) << cols << ' ' << i;
    }
  }
}

TEST(WeightStream, RowsDiffer) {
  for (const std::uint64_t cols : {32U, 288U, 768U, 2048U}) {
    const std::vector<float> values = decoded(DType::kF32, 1, cols, 3000, 1.0F);
    std::set<std::vector<float>> rows;
    for (std::size_t at = 0; at < values.size(); at += cols) {
      rows.insert({values.begin() + static_cast<std::ptrdiff_t>(at),
                   values.begin() + static_cast<std::ptrdiff_t>(at + cols)});
    }
    EXPECT_EQ(rows.size(), 3000U) << cols;
  }
}

TEST(WeightStream, SeedsDecide) {
  EXPECT_EQ(decoded(DType::kQ4_0, 5, 1024, 4, 1.0F), decoded(DType::kQ4_0, 5, 1024, 4, 1.0F));
  EXPECT_NE(decoded(DType::kQ4_0, 5, 1024, 4, 1.0F), decoded(DType::kQ4_0, 6, 1024, 4, 1.0F));
  EXPECT_EQ(decoded(DType::kIQ2_S, 5, 1024, 4, 1.0F), decoded(DType::kIQ2_S, 5, 1024, 4, 1.0F));
}

// Weights of every type have the scale that is asked for, large or small, and no direction of their own.
TEST(WeightStream, EveryTypeHasASaneScale) {
  for (const quant::Format& format : quant::all_formats()) {
    if (format.dequantize == nullptr) continue;
    const float small = format.dtype == DType::kNVFP4 ? 0.01F : 0.001F;  // its smallest scale is 2^-9
    for (const float deviation : {1.0F, small}) {
      const Moments m = moments_of(decoded(format.dtype, 2, 2048, 100, deviation));
      EXPECT_GT(m.deviation, deviation / 1.5) << format.name;
      EXPECT_LT(m.deviation, deviation * 1.5) << format.name;
      EXPECT_LT(std::abs(m.mean), 0.1 * deviation) << format.name;
    }
  }
}

}  // namespace
}  // namespace cistern::engine
