// Products of experts and heads: bit for bit what ops::matmul gives each row alone, whatever the groups and
// threads; F32 also against plain double arithmetic.
#include "ops/grouped_matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "ops/matmul.h"
#include "ops/op_test.h"

namespace cistern::ops {
namespace {

using Floats = std::vector<float>;

constexpr int kThreads[] = {1, 2, 3, 7};
constexpr DType kTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16,
                            DType::kQ8_0, DType::kQ4_K, DType::kMXFP4};
// Rows of each expert: none, one, a few, more than a tile of any kernel.
constexpr std::uint32_t kCounts[] = {0, 1, 37, 0, 5, 70, 2, 0};
constexpr std::uint64_t kExperts = std::size(kCounts);
constexpr std::uint64_t kTokens = 41;

// The types whose blocks divide rows of `cols`.
std::vector<DType> types_of(std::uint64_t cols) {
  std::vector<DType> types;
  for (const DType type : kTypes) {
    if (cols % quant::format_of(type).block_values == 0) types.push_back(type);
  }
  return types;
}

// Rows sorted by expert, each from some token.
struct Rows {
  std::vector<std::uint32_t> matrix, begin = {0}, source;

  Rows() {
    for (std::uint32_t e = 0; e < kExperts; ++e) {
      if (kCounts[e] == 0) continue;
      matrix.push_back(e);
      for (std::uint32_t i = 0; i < kCounts[e]; ++i)
        source.push_back(static_cast<std::uint32_t>((source.size() * 29 + e) % kTokens));
      begin.push_back(static_cast<std::uint32_t>(source.size()));
    }
  }
  RowGroups groups() const { return {.matrix = matrix, .begin = begin, .source = source}; }
  std::uint32_t expert_of(std::size_t row) const {
    const auto group = std::ranges::upper_bound(begin, row) - begin.begin() - 1;
    return matrix[static_cast<std::size_t>(group)];
  }
};

struct Stack : Weights {
  Stack(DType type, std::uint64_t cols, std::uint64_t rows, std::uint64_t n)
      : Weights(random_weights(type, cols, rows * n, 10)) {
    view.shape = Shape(cols, rows, n);
  }
  WeightView matrix(std::uint64_t i) const {
    WeightView one = view;
    one.shape = Shape(view.shape.cols(), view.shape.dim(1));
    one.data += i * one.shape.rows() * one.row_bytes;
    return one;
  }
};

Floats row_of(const Floats& values, std::uint64_t cols, std::uint64_t row) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * cols);
  return {begin, begin + static_cast<std::ptrdiff_t>(cols)};
}

Floats multiply_alone(const WeightView& w, Floats x, const Floats& bias = {}) {
  Floats out(w.shape.rows());
  matmul(Machine(1).exec, w, view(x, w.shape.cols()), view(out, w.shape.rows()),
         bias.empty() ? WeightView{} : f32_weight(bias, Shape(bias.size())));
  return out;
}

struct Size {
  std::uint64_t cols, rows;
};
constexpr Size kSizes[] = {{512, 77}, {96, 33}, {256, 1}, {40, 5}, {1, 3}};

TEST(MatmulExperts, gives_each_row_what_matmul_gives_it_alone) {
  const Rows rows;
  for (const Size& size : kSizes) {
    for (const DType type : types_of(size.cols)) {
      SCOPED_TRACE(std::string(quant::format_of(type).name) + " of " + std::to_string(size.cols));
      const Stack w(type, size.cols, size.rows, kExperts);
      const Slices experts(w.view, size.rows, rows.matrix);
      const Floats bias = random_values(size.rows * kExperts, 3);
      Floats x = random_values(size.cols * kTokens, 4);
      Floats plain;
      Floats with_bias;
      for (std::size_t i = 0; i < rows.source.size(); ++i) {
        const std::uint32_t e = rows.expert_of(i);
        const Floats input = row_of(x, size.cols, rows.source[i]);
        std::ranges::copy(multiply_alone(w.matrix(e), input), std::back_inserter(plain));
        std::ranges::copy(multiply_alone(w.matrix(e), input, row_of(bias, size.rows, e)),
                          std::back_inserter(with_bias));
      }
      for (const int threads : kThreads) {
        Machine machine(threads);
        Floats out(plain.size());
        matmul_experts(machine.exec, view(x, size.cols), rows.groups(),
                       {.w = experts.slices, .bias = {}, .out = view(out, size.rows)});
        EXPECT_EQ(out, plain) << threads << " threads";
        matmul_experts(machine.exec, view(x, size.cols), rows.groups(),
                       {.w = experts.slices,
                        .bias = f32_weight(bias, Shape(size.rows, kExperts)),
                        .out = view(out, size.rows)});
        EXPECT_EQ(out, with_bias) << threads << " threads, with bias";
      }
    }
  }
}

TEST(MatmulExperts, agrees_with_double_arithmetic) {
  constexpr std::uint64_t kCols = 70, kRows = 9;
  const Rows rows;
  const Stack w(DType::kF32, kCols, kRows, kExperts);
  Floats x = random_values(kCols * kTokens, 4);
  Floats out(rows.source.size() * kRows);
  const Slices experts(w.view, kRows, rows.matrix);
  matmul_experts(Machine(2).exec, view(x, kCols), rows.groups(),
                 {.w = experts.slices, .bias = {}, .out = view(out, kRows)});
  for (std::size_t i = 0; i < rows.source.size(); ++i) {
    for (std::uint64_t r = 0; r < kRows; ++r) {
      double exact = 0;
      for (std::uint64_t c = 0; c < kCols; ++c)
        exact +=
            double{w.decoded[(rows.expert_of(i) * kRows + r) * kCols + c]} * x[rows.source[i] * kCols + c];
      EXPECT_NEAR(out[i * kRows + r], exact, 1e-4) << i;
    }
  }
}

TEST(MatmulExperts, does_nothing_without_rows) {
  const Stack w(DType::kQ8_0, 64, 8, 2);
  Floats x = random_values(64, 1);
  Floats out(8, 5.0F);
  const std::uint32_t begin[] = {0};
  matmul_experts(Machine(2).exec, view(x, 64), {.matrix = {}, .begin = begin, .source = {}},
                 {.w = Slices(w.view, 8, {}).slices, .bias = {}, .out = view(out, 8)});
  EXPECT_EQ(out, Floats(8, 5.0F));
}

// Gates and ups of one type go through a product of their own, those of two types one after the other.
TEST(MatmulGatedExperts, is_two_products_and_their_gate) {
  const Rows rows;
  constexpr float kLimit = 0.7F;
  for (const auto& [gate_type, up_type] : {std::pair{DType::kF32, DType::kF32},
                                           {DType::kQ4_K, DType::kQ4_K},
                                           {DType::kMXFP4, DType::kMXFP4},
                                           {DType::kF16, DType::kF16},
                                           {DType::kF32, DType::kQ8_0},
                                           {DType::kQ8_0, DType::kQ4_K}}) {
    SCOPED_TRACE(std::string(quant::format_of(gate_type).name) + " and " +
                 std::string(quant::format_of(up_type).name));
    constexpr std::uint64_t kCols = 256, kRows = 77;
    const Stack gates(gate_type, kCols, kRows, kExperts);
    const Stack ups(up_type, kCols, kRows, kExperts);
    const Slices gate_experts(gates.view, kRows, rows.matrix);
    const Slices up_experts(ups.view, kRows, rows.matrix);
    const Floats gate_bias = random_values(kRows * kExperts, 3);
    Floats x = random_values(kCols * kTokens, 4, 0.1F);
    for (const GateFn fn : {GateFn::kSilu, GateFn::kSwigluOai, GateFn::kSiluClamped}) {
      const std::size_t n = rows.source.size() * kRows;
      Machine one(1);
      Floats gate_rows(n), up_rows(n), expected(n);
      const ExpertProduct gate_product{.w = gate_experts.slices,
                                       .bias = f32_weight(gate_bias, Shape(kRows, kExperts)),
                                       .out = view(gate_rows, kRows)};
      const ExpertProduct up_product{.w = up_experts.slices, .bias = {}, .out = view(up_rows, kRows)};
      matmul_experts(one.exec, view(x, kCols), rows.groups(), gate_product);
      matmul_experts(one.exec, view(x, kCols), rows.groups(), up_product);
      gate(one.exec, {.fn = fn,
                      .gate = gate_product.out,
                      .up = up_product.out,
                      .limit = kLimit,
                      .out = view(expected, kRows)});
      for (const int threads : kThreads) {
        Floats out(n);
        matmul_gated_experts(
            Machine(threads).exec, view(x, kCols), rows.groups(),
            {.gate = gate_product, .up = up_product, .fn = fn, .limit = kLimit, .out = view(out, kRows)});
        EXPECT_EQ(out, expected) << threads << " threads, function " << static_cast<int>(fn);
      }
    }
  }
}

// Heads that are some columns of wider rows, with columns between them.
TEST(MatmulHeads, gives_each_head_what_matmul_gives_it_alone) {
  constexpr std::uint32_t kHeads = 5, kFirst = 3;
  for (const Size& size : kSizes) {
    for (const DType type : types_of(size.cols)) {
      const Stack w(type, size.cols, size.rows, kHeads);
      const auto in_dim = static_cast<std::uint32_t>(size.cols);
      const auto out_dim = static_cast<std::uint32_t>(size.rows);
      const std::uint32_t step = in_dim + 2;
      const std::uint64_t in_width = kFirst + kHeads * step;
      const std::uint64_t out_width = 1 + kHeads * out_dim;
      for (const std::uint64_t tokens : {1U, 2U, 33U}) {
        Floats x = random_values(in_width * tokens, 4);
        Floats expected(out_width * tokens, 9.0F);
        for (std::uint64_t t = 0; t < tokens; ++t) {
          for (std::uint32_t h = 0; h < kHeads; ++h) {
            const float* input = &x[t * in_width + kFirst + h * step];
            std::ranges::copy(
                multiply_alone(w.matrix(h), Floats(input, input + in_dim)),
                expected.begin() + static_cast<std::ptrdiff_t>(t * out_width + 1 + h * out_dim));
          }
        }
        for (const int threads : kThreads) {
          Floats out(out_width * tokens, 9.0F);
          matmul_heads(Machine(threads).exec, w.view, {view(x, in_width), kFirst, kHeads, in_dim, step},
                       {view(out, out_width), 1, kHeads, out_dim});
          EXPECT_EQ(out, expected) << quant::format_of(type).name << " of " << size.cols << ", " << tokens
                                   << " tokens, " << threads << " threads";
        }
      }
    }
  }
}

TEST(GroupedPackedBytes, are_enough_for_floats_and_for_chunks) {
  EXPECT_GE(grouped_packed_bytes(1, 100), 400U);
  EXPECT_GE(grouped_packed_bytes(512, 3), packed_activation_bytes(512, 3));
}

}  // namespace
}  // namespace cistern::ops
