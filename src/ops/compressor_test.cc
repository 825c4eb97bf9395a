// Compressed tokens against plain double arithmetic, and the same bits however the tokens arrive.
#include "ops/compressor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "ops/op_test.h"

namespace cistern::ops {
namespace {

using Floats = std::vector<float>;

struct Case {
  std::uint32_t width = 23, ratio = 4, tokens = 50;
  bool overlap = false, interleaved = false;
  DType type = DType::kF32;

  std::uint32_t series() const { return overlap ? 2 : 1; }
  std::uint64_t cols() const { return std::uint64_t{series()} * width; }
  std::uint32_t rows() const { return tokens / ratio; }
};

constexpr float kEps = 1e-5F;
const Floats kFrequencies = {1.0F, 0.3F, 0.01F};  // the last 6 values of a row

struct Sequence {
  explicit Sequence(const Case& c)
      : values(random_values(c.cols() * c.tokens, 1)),
        gates(random_values(c.cols() * c.tokens, 2, 3)),
        positions(random_values(c.cols() * c.ratio, 3)),
        norm(random_values(c.width, 4)) {}
  Floats values, gates, positions, norm;
};

std::vector<std::byte> run(const Case& c, Sequence s, std::uint32_t chunk) {
  Machine machine(2);
  const std::uint64_t row_bytes = *quant::row_bytes(c.type, c.width) + 5;
  std::vector<std::byte> rows(row_bytes * c.rows());
  Floats state(2 * c.series() * c.ratio * c.cols());
  for (std::uint32_t t = 0; t < c.tokens; t += chunk) {
    const std::uint32_t n = std::min(chunk, c.tokens - t);
    compress(machine.exec,
             {.values = view(s.values, c.cols()).rows(t, n),
              .gates = view(s.gates, c.cols()).rows(t, n),
              .positions = f32_weight(s.positions, Shape(c.cols(), c.ratio)),
              .norm = f32_weight(s.norm, Shape(c.width)),
              .eps = kEps,
              .rotation = {.inv_freq = kFrequencies, .interleaved = c.interleaved},
              .width = c.width,
              .ratio = c.ratio,
              .overlap = c.overlap,
              .first_position = t,
              .state = state,
              .cache = {.type = c.type, .compressed_keys = rows.data(), .compressed_row_bytes = row_bytes}});
  }
  return rows;
}

std::vector<double> expected_row(const Case& c, const Sequence& s, std::uint32_t row) {
  std::vector<double> out(c.width);
  double square = 0;
  for (std::uint32_t i = 0; i < c.width; ++i) {
    double sum = 0;
    double value = 0;
    const auto add = [&](std::uint32_t token, std::uint64_t col) {
      const double gate =
          double{s.gates[token * c.cols() + col]} + s.positions[token % c.ratio * c.cols() + col];
      sum += std::exp(gate);
      value += std::exp(gate) * s.values[token * c.cols() + col];
    };
    for (std::uint32_t t = row * c.ratio; t < (row + 1) * c.ratio; ++t) {
      if (c.overlap && row > 0) add(t - c.ratio, i);
      add(t, c.overlap ? c.width + i : i);
    }
    out[i] = value / sum;
    square += out[i] * out[i] / c.width;
  }
  for (std::uint32_t i = 0; i < c.width; ++i) out[i] *= s.norm[i] / std::sqrt(square + kEps);
  const std::size_t pairs = kFrequencies.size();
  const std::size_t first = c.width - 2 * pairs;
  for (std::size_t i = 0; i < pairs; ++i) {
    double& a = out[first + (c.interleaved ? 2 * i : i)];
    double& b = out[first + (c.interleaved ? 2 * i + 1 : i + pairs)];
    const double angle = static_cast<double>(row * c.ratio) * kFrequencies[i];
    const double rotated = a * std::cos(angle) - b * std::sin(angle);
    b = a * std::sin(angle) + b * std::cos(angle);
    a = rotated;
  }
  return out;
}

TEST(Compress, follows_its_formula_with_the_same_bits_for_any_chunks) {
  for (const bool overlap : {false, true}) {
    for (const std::uint32_t ratio : {1U, 4U, 7U, 50U}) {
      for (const DType type : {DType::kF32, DType::kF16}) {
        const Case c{.ratio = ratio, .overlap = overlap, .interleaved = ratio == 7, .type = type};
        SCOPED_TRACE(std::to_string(ratio) + " to one, overlap " + std::to_string(overlap));
        const Sequence s(c);
        const std::vector<std::byte> whole = run(c, s, c.tokens);
        for (const std::uint32_t chunk : {1U, 3U, 4U, 13U}) EXPECT_EQ(run(c, s, chunk), whole) << chunk;
        const double tolerance = type == DType::kF32 ? 1e-5 : 4e-3;
        Floats row(c.width);
        for (std::uint32_t r = 0; r < c.rows(); ++r) {
          quant::format_of(type).dequantize(whole.data() + r * (whole.size() / c.rows()), row.data(),
                                            c.width);
          const std::vector<double> exact = expected_row(c, s, r);
          for (std::uint32_t i = 0; i < c.width; ++i)
            ASSERT_NEAR(row[i], exact[i], tolerance * (1 + std::fabs(exact[i]))) << r << " " << i;
        }
      }
    }
  }
}

TEST(Compress, gates_of_any_size_do_not_overflow) {
  const Case c{.ratio = 4, .tokens = 8, .overlap = true};
  Sequence s(c);
  for (float& gate : s.gates) gate *= 1000;
  const std::vector<std::byte> rows = run(c, s, 8);
  Floats row(c.width);
  for (std::uint32_t r = 0; r < 2; ++r) {
    quant::format_of(c.type).dequantize(rows.data() + r * (rows.size() / 2), row.data(), c.width);
    for (const float v : row) EXPECT_TRUE(std::isfinite(v));
  }
}

}  // namespace
}  // namespace cistern::ops
