// Ops against plain double arithmetic, and "same bits" across threads, batches and chunks for every weight
// and KV type.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "ops/attention.h"
#include "ops/attention_block.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "ops/op_test.h"
#include "quant/format.h"

namespace cistern::ops {
namespace {

// The most that packing x's activations may change its product with w, and float rounding: integers are
// within half a step of at most 2 * (largest of the block) / 127, or of (largest of the chunk) / 127 / 2^7;
// bfloat16 keeps 8 bits of both factors.
double matmul_tolerance(kernels::Arithmetic arithmetic, const float* w, const float* x, std::uint64_t cols) {
  double magnitude = 0;
  double steps = 0;
  for (std::uint64_t c = 0; c < cols; c += 256) {
    const std::uint64_t end = std::min(c + 256, cols);
    const auto largest = [&](std::uint64_t first, std::uint64_t last) {
      float v = 0;
      for (std::uint64_t i = first; i < last; ++i) v = std::max(v, std::fabs(x[i]));
      return double{v};
    };
    for (std::uint64_t b = c; b < end; b += 32) {
      const double step = std::max(2 * largest(b, b + 32) / 127, largest(c, end) / 127 / 128);
      for (std::uint64_t i = b; i < b + 32; ++i) {
        steps += step / 2 * std::fabs(double{w[i]});
        magnitude += std::fabs(double{w[i]} * x[i]);
      }
    }
  }
  const double rounding = magnitude * static_cast<double>(cols) * 0x1p-24;
  if (arithmetic == kernels::Arithmetic::kInt8) return rounding + steps;
  return arithmetic == kernels::Arithmetic::kBf16 ? rounding + magnitude * 0x1p-7 : rounding;
}

TEST(Matmul, every_type_agrees_with_double_arithmetic_and_has_the_same_bits_for_any_threads_and_batch) {
  constexpr std::uint64_t kCols = 512, kRows = 77, kTokens = 9;
  for (const quant::Format& format : quant::all_formats()) {
    if (format.dequantize == nullptr) continue;
    const Weights w = random_weights(format.dtype, kCols, kRows);
    const kernels::KernelTable& kernels = kernels::resolve(sys::best_isa());
    const kernels::Arithmetic arithmetic = kernels.panel[static_cast<std::size_t>(format.dtype)].arithmetic;
    std::vector<float> x = random_values(kCols * kTokens, 5);
    std::vector<float> reference(kRows * kTokens);
    matmul(Machine(1).exec, w.view, view(x, kCols), view(reference, kRows));
    for (std::uint64_t t = 0; t < kTokens; ++t) {
      for (std::uint64_t r = 0; r < kRows; ++r) {
        const float* row = w.decoded.data() + r * kCols;
        const float* token = x.data() + t * kCols;
        double exact = 0;
        for (std::uint64_t c = 0; c < kCols; ++c) exact += double{row[c]} * token[c];
        EXPECT_NEAR(reference[t * kRows + r], exact, matmul_tolerance(arithmetic, row, token, kCols))
            << format.name;
      }
    }
    for (const int threads : {2, 3, 7}) {
      std::vector<float> out(kRows * kTokens);
      matmul(Machine(threads).exec, w.view, view(x, kCols), view(out, kRows));
      EXPECT_EQ(out, reference) << format.name << " with " << threads << " threads";
    }
    for (std::uint64_t t = 0; t < kTokens; ++t) {
      std::vector<float> alone(x.begin() + static_cast<std::ptrdiff_t>(t * kCols),
                               x.begin() + static_cast<std::ptrdiff_t>((t + 1) * kCols));
      std::vector<float> out(kRows);
      matmul(Machine(2).exec, w.view, view(alone, kCols), view(out, kRows));
      EXPECT_TRUE(
          std::equal(out.begin(), out.end(), reference.begin() + static_cast<std::ptrdiff_t>(t * kRows)))
          << format.name;
    }
  }
}

TEST(Matmul, adds_the_bias) {
  const Weights w = random_weights(DType::kF32, 16, 5);
  std::vector<float> x = random_values(32, 1), plain(10), with_bias(10), bias = random_values(5, 2);
  Machine machine(2);
  matmul(machine.exec, w.view, view(x, 16), view(plain, 5));
  matmul(machine.exec, w.view, view(x, 16), view(with_bias, 5),
         {.shape = Shape(5), .data = reinterpret_cast<const std::byte*>(bias.data())});
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(with_bias[i], plain[i] + bias[i % 5]);
}

TEST(Embed, copies_scaled_rows) {
  const Weights w = random_weights(DType::kQ4_0, 64, 10);
  std::vector<float> out(64 * 3);
  const std::vector<std::uint32_t> ids = {9, 0, 9};
  embed(Machine(2).exec, Slices(w.view, 1, ids).slices, 2.0F, view(out, 64));
  for (std::size_t t = 0; t < 3; ++t) {
    for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(out[t * 64 + i], w.decoded[ids[t] * 64 + i] * 2.0F);
  }
}

TEST(Rope, rotates_pairs_by_position_times_frequency) {
  const std::vector<float> inv_freq = {1.0F, 0.25F};
  for (const bool interleaved : {true, false}) {
    std::vector<float> rows =
        random_values(2 * 2 * 6, 3);  // 2 tokens, 2 heads of 6 values, 4 of them rotated
    const std::vector<float> before = rows;
    rope(Machine(1).exec, {view(rows, 12), 0, 2, 6},
         {.inv_freq = inv_freq, .interleaved = interleaved, .factor = 1.5F}, 10);
    for (std::size_t t = 0; t < 2; ++t) {
      for (std::size_t hi = 0; hi < 2; ++hi) {
        const float* old = before.data() + t * 12 + hi * 6;
        const float* now = rows.data() + t * 12 + hi * 6;
        for (std::size_t i = 0; i < 2; ++i) {
          const std::size_t a = interleaved ? 2 * i : i, b = interleaved ? 2 * i + 1 : i + 2;
          const double angle = static_cast<double>(10 + t) * double{inv_freq[i]};
          EXPECT_NEAR(now[a], 1.5 * (old[a] * std::cos(angle) - old[b] * std::sin(angle)), 1e-5);
          EXPECT_NEAR(now[b], 1.5 * (old[a] * std::sin(angle) + old[b] * std::cos(angle)), 1e-5);
        }
        EXPECT_EQ(now[4], old[4]) << "beyond the rotated dims";
      }
    }
  }
}

struct AttentionCase {
  std::uint32_t n_heads = 4, n_kv_heads = 2, head_dim = 32, value_dim = 64, window = 0;
  float softcap = 0;
  std::uint32_t tokens = 150;
  DType type = DType::kF32;
};

struct Sequence {
  std::vector<float> q, k, v;
};

Sequence random_sequence(const AttentionCase& c) {
  return {random_values(std::size_t{c.tokens} * c.n_heads * c.head_dim, 1),
          random_values(std::size_t{c.tokens} * c.n_kv_heads * c.head_dim, 2),
          random_values(std::size_t{c.tokens} * c.n_kv_heads * c.value_dim, 3)};
}

// The whole sequence through a cache, `chunk` tokens at a time.
std::vector<float> attend(const AttentionCase& c, const Sequence& s, int threads, std::uint32_t chunk) {
  Machine machine(threads);
  auto cache = kv::Cache::create({.layers = {{.n_kv_heads = c.n_kv_heads,
                                              .key_dim = c.head_dim,
                                              .value_dim = c.value_dim,
                                              .window = c.window}},
                                  .type = c.type,
                                  .context_tokens = c.tokens,
                                  .chunk_tokens = chunk});
  EXPECT_TRUE(cache);
  std::vector<float> result;
  for (std::uint32_t begin = 0; begin < c.tokens; begin += chunk) {
    const std::uint32_t count = std::min(chunk, c.tokens - begin);
    const auto part = [&](const std::vector<float>& all, std::uint32_t cols) {
      return std::vector<float>(all.begin() + std::ptrdiff_t{begin} * cols,
                                all.begin() + std::ptrdiff_t{begin + count} * cols);
    };
    std::vector<float> q = part(s.q, c.n_heads * c.head_dim), k = part(s.k, c.n_kv_heads * c.head_dim),
                       v = part(s.v, c.n_kv_heads * c.value_dim);
    std::vector<float> out(std::size_t{count} * c.n_heads * c.value_dim);
    store_kv(machine.exec, {view(k, c.n_kv_heads * c.head_dim), 0, c.n_kv_heads, c.head_dim},
             {view(v, c.n_kv_heads * c.value_dim), 0, c.n_kv_heads, c.value_dim}, cache->layer(0), begin);
    attention(machine.exec, {.queries = {view(q, c.n_heads * c.head_dim), 0, c.n_heads, c.head_dim},
                             .cache = cache->layer(0),
                             .first_position = begin,
                             .scale = 0.7F,
                             .softcap = c.softcap,
                             .out = view(out, c.n_heads * c.value_dim)});
    cache->advance(count);
    result.insert(result.end(), out.begin(), out.end());
  }
  return result;
}

std::vector<double> attend_plainly(const AttentionCase& c, const Sequence& s) {
  std::vector<double> result;
  const std::uint32_t group = c.n_heads / c.n_kv_heads;
  for (std::uint32_t t = 0; t < c.tokens; ++t) {
    const std::uint32_t first = c.window > 0 && t + 1 > c.window ? t + 1 - c.window : 0;
    for (std::uint32_t hi = 0; hi < c.n_heads; ++hi) {
      std::vector<double> out(c.value_dim);
      double sum = 0;
      for (std::uint32_t p = first; p <= t; ++p) {
        double score = 0;
        for (std::uint32_t i = 0; i < c.head_dim; ++i) {
          score += double{s.q[(std::size_t{t} * c.n_heads + hi) * c.head_dim + i]} *
                   s.k[(std::size_t{p} * c.n_kv_heads + hi / group) * c.head_dim + i];
        }
        score *= 0.7F;
        if (c.softcap > 0) score = c.softcap * std::tanh(score / c.softcap);
        const double weight = std::exp(score);
        sum += weight;
        for (std::uint32_t i = 0; i < c.value_dim; ++i)
          out[i] += weight * s.v[(std::size_t{p} * c.n_kv_heads + hi / group) * c.value_dim + i];
      }
      for (const double value : out) result.push_back(value / sum);
    }
  }
  return result;
}

TEST(Attention, agrees_with_the_plain_formula_with_windows_and_soft_caps) {
  for (const AttentionCase& c : {AttentionCase{}, AttentionCase{.window = 5}, AttentionCase{.window = 70},
                                 AttentionCase{.softcap = 2.0F}, AttentionCase{.n_heads = 3, .n_kv_heads = 1},
                                 AttentionCase{.window = 1}}) {
    const Sequence s = random_sequence(c);
    const std::vector<float> ours = attend(c, s, 2, c.tokens);
    const std::vector<double> exact = attend_plainly(c, s);
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], exact[i], 2e-5) << "window " << c.window << " at " << i;
  }
}

TEST(Attention, has_the_same_bits_for_any_threads_chunks_and_cache_type) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0}) {
    for (const std::uint32_t window : {0U, 7U, 70U}) {
      const AttentionCase c{.window = window, .type = type};
      const Sequence s = random_sequence(c);
      const std::vector<float> whole = attend(c, s, 1, c.tokens);
      for (const int threads : {2, 3}) EXPECT_EQ(attend(c, s, threads, c.tokens), whole);
      for (const std::uint32_t chunk : {1U, 7U, 64U})
        EXPECT_EQ(attend(c, s, 2, chunk), whole) << "chunk " << chunk;
    }
  }
}

TEST(Attention, quantized_caches_stay_close) {
  const AttentionCase exact_case;
  const Sequence s = random_sequence(exact_case);
  const std::vector<double> exact = attend_plainly(exact_case, s);
  // Values are in [-1, 1]: half a step of each type, and what errors in the scores add. ISAs that multiply
  // bfloat16 round to it: scores, weights and values of 8 bits, errors of 2^-9 each.
  for (const auto& [type, tolerance] : {std::pair{DType::kF16, 3 * 0x1p-9},
                                        {DType::kBF16, 2e-2},
                                        {DType::kQ8_0, 3e-2},
                                        {DType::kQ4_0, 0.4}}) {
    const std::vector<float> ours = attend({.type = type}, s, 2, 150);
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], exact[i], tolerance) << quant::format_of(type).name;
  }
}

TEST(LayerNormHeads, each_head_has_its_own_mean_and_weights) {
  std::vector<float> x = {1, 2, 6, -1, 0, 4, 5, 5, 8, 0, 3, 3}, weights = {1, 2, 3, -1, 0.5F, 1};
  const std::vector<float> before = x;
  layer_norm_heads(Machine(2).exec, {view(x, 6), 0, 2, 3},
                   {.shape = Shape(3, 2), .data = reinterpret_cast<const std::byte*>(weights.data())}, 1e-5F);
  for (std::size_t head = 0; head < 4; ++head) {
    const float* h = &before[head * 3];
    const double mean = (double{h[0]} + h[1] + h[2]) / 3;
    double variance = 0;
    for (int i = 0; i < 3; ++i) variance += (h[i] - mean) * (h[i] - mean) / 3;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(x[head * 3 + i], (h[i] - mean) / std::sqrt(variance + 1e-5) * weights[head % 2 * 3 + i],
                  1e-5);
    }
  }
}

TEST(Gate, is_silu_or_gelu_of_the_gate_times_up) {
  std::vector<float> both = {-2.0F, 0.5F, 3.0F, 4.0F}, out(2);
  Machine machine(1);
  GateArgs args{.gate = view(both, 4), .up = view(both, 4), .up_col = 2, .out = view(out, 2)};
  gate(machine.exec, args);
  EXPECT_NEAR(out[0], -2.0 / (1 + std::exp(2.0)) * 3, 1e-6);
  EXPECT_NEAR(out[1], 0.5 / (1 + std::exp(-0.5)) * 4, 1e-6);
  args.fn = GateFn::kGeluTanh;
  gate(machine.exec, args);
  EXPECT_NEAR(out[0], 0.5 * -2 * (1 + std::tanh(0.7978845608 * (-2 - 0.044715 * 8))) * 3, 1e-6);
}

TEST(Softcap, bends_towards_the_cap) {
  std::vector<float> x = {-100.0F, 0.0F, 1.0F};
  softcap(Machine(1).exec, 4.0F, view(x, 3));
  EXPECT_NEAR(x[0], -4, 1e-5);
  EXPECT_EQ(x[1], 0);
  EXPECT_NEAR(x[2], 4 * std::tanh(0.25), 1e-6);
}

TEST(ShareOf, covers_everything_once) {
  for (const std::uint64_t count : {0U, 1U, 3U, 13U, 64U}) {
    for (const int threads : {1, 2, 3, 7}) {
      std::uint64_t next = 0;
      for (int i = 0; i < threads; ++i) {
        const Range range = share_of(count, 4, i, threads);
        EXPECT_EQ(range.begin, next);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

TEST(ScratchFloats, is_enough_for_the_biggest_user) {
  EXPECT_GE(scratch_floats(1000, 1, 64), 4000U);
  EXPECT_GE(scratch_floats(8, 1, 256), attention_scratch_floats(256));
}

}  // namespace
}  // namespace cistern::ops
