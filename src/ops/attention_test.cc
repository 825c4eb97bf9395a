// Attention through a cache against plain double arithmetic on what the cache holds, on every ISA of this
// machine; and the same bits however a sequence is cut into chunks and however many threads there are.
#include "ops/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/rng.h"
#include "ops/attention_block.h"
#include "quant/format.h"

namespace cistern::ops {
namespace {

struct Case {
  std::uint32_t n_heads = 4, n_kv_heads = 2, key_dim = 32, value_dim = 32, window = 0;
  float softcap = 0;
  std::uint32_t tokens = 150;
  DType type = DType::kF16;
  Mask mask = Mask::kSliding;
  bool sinks = false;
  bool values_in_keys = false;  // the first value_dim values of each
};

// Whether the token at t sees that at p.
bool sees(const Case& c, std::uint32_t t, std::uint32_t p) {
  const std::uint32_t distance = t > p ? t - p : p - t;
  if (c.mask == Mask::kSymmetric) return c.window == 0 || distance < c.window;
  if (p > t) return false;
  if (c.mask == Mask::kChunked) return p / c.window == t / c.window;
  return c.window == 0 || distance < c.window;
}

struct Setting {
  int threads = 1;
  std::uint32_t chunk = 1U << 20U;
  sys::Isa isa = sys::best_isa();
};

std::vector<float> random_values(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(rng.uniform() * 2 - 1);
  return values;
}

struct Sequence {
  explicit Sequence(const Case& c)
      : q(random_values(std::size_t{c.tokens} * c.n_heads * c.key_dim, 1)),
        k(random_values(std::size_t{c.tokens} * c.n_kv_heads * c.key_dim, 2)),
        v(random_values(std::size_t{c.tokens} * c.n_kv_heads * c.value_dim, 3)),
        sinks(random_values(c.n_heads, 4)) {
    for (float& sink : sinks) sink = 3 * sink + 1;
  }
  std::vector<float> q, k, v, sinks;
};

// Rows [begin, begin + count) of `values`.
TensorView rows_of(std::vector<float>& values, std::uint64_t cols, std::uint32_t begin, std::uint32_t count) {
  return {.shape = Shape(cols, count), .data = reinterpret_cast<std::byte*>(values.data() + begin * cols)};
}

constexpr float kScale = 0.3F;

std::vector<float> attend(const Case& c, Sequence& s, const Setting& setting) {
  const std::uint32_t chunk = std::min(setting.chunk, c.tokens);
  const std::size_t floats = attention_scratch_floats(std::max(c.key_dim, c.value_dim));
  sys::ThreadPool pool(setting.threads);
  std::vector<float> scratch(floats * static_cast<std::size_t>(setting.threads), std::nanf(""));
  const Exec exec{.pool = &pool,
                  .kernels = &kernels::resolve(setting.isa),
                  .scratch = scratch,
                  .scratch_floats_per_thread = floats};
  const kv::LayerShape layer{.n_kv_heads = c.n_kv_heads,
                             .key_dim = c.key_dim,
                             .value_dim = c.value_dim,
                             .window = c.window,
                             .values_in_keys = c.values_in_keys};
  auto cache = kv::Cache::create(
      {.layers = {layer}, .type = c.type, .context_tokens = c.tokens, .chunk_tokens = chunk});
  EXPECT_TRUE(cache);
  std::vector<float> out(std::size_t{c.tokens} * c.n_heads * c.value_dim);
  for (std::uint32_t begin = 0; begin < c.tokens; begin += chunk) {
    const std::uint32_t count = std::min(chunk, c.tokens - begin);
    const auto heads = [&](std::vector<float>& all, std::uint32_t n, std::uint32_t dim) {
      return HeadsView{rows_of(all, std::uint64_t{n} * dim, begin, count), 0, n, dim};
    };
    store_kv(exec, heads(s.k, c.n_kv_heads, c.key_dim),
             c.values_in_keys ? HeadsView{} : heads(s.v, c.n_kv_heads, c.value_dim), cache->layer(0), begin);
    attention(exec, {.queries = heads(s.q, c.n_heads, c.key_dim),
                     .cache = cache->layer(0),
                     .first_position = begin,
                     .scale = kScale,
                     .softcap = c.softcap,
                     .mask = c.mask,
                     .sinks = c.sinks ? s.sinks.data() : nullptr,
                     .out = rows_of(out, std::uint64_t{c.n_heads} * c.value_dim, begin, count)});
    cache->advance(count);
  }
  return out;
}

// What a cache of this type makes of the values.
std::vector<double> stored(DType type, const std::vector<float>& values) {
  const quant::Format& format = quant::format_of(type);
  std::vector<std::byte> bytes(values.size() / format.block_values * format.block_bytes);
  std::vector<float> decoded(values.size());
  format.quantize(values.data(), bytes.data(), values.size());
  format.dequantize(bytes.data(), decoded.data(), values.size());
  return {decoded.begin(), decoded.end()};
}

// Of keys that hold their values.
std::vector<double> values_of(const Case& c, const std::vector<double>& keys) {
  std::vector<double> values;
  for (auto key = keys.begin(); key < keys.end(); key += c.key_dim)
    values.insert(values.end(), key, key + c.value_dim);
  return values;
}

std::vector<double> exact_row(const Case& c, const Sequence& s, const std::vector<double>& k,
                              const std::vector<double>& v, std::uint32_t t, std::uint32_t head) {
  std::vector<double> out(c.value_dim);
  const std::uint32_t kv_head = head / (c.n_heads / c.n_kv_heads);
  double sum = c.sinks ? std::exp(double{s.sinks[head]}) : 0;
  for (std::uint32_t p = 0; p < c.tokens; ++p) {
    if (!sees(c, t, p)) continue;
    double score = 0;
    for (std::uint32_t i = 0; i < c.key_dim; ++i) {
      score += s.q[(std::size_t{t} * c.n_heads + head) * c.key_dim + i] *
               k[(std::size_t{p} * c.n_kv_heads + kv_head) * c.key_dim + i];
    }
    score *= kScale;
    if (c.softcap > 0) score = c.softcap * std::tanh(score / c.softcap);
    const double weight = std::exp(score);
    sum += weight;
    for (std::uint32_t i = 0; i < c.value_dim; ++i)
      out[i] += weight * v[(std::size_t{p} * c.n_kv_heads + kv_head) * c.value_dim + i];
  }
  for (double& value : out) value /= sum;
  return out;
}

std::string describe(const Case& c) {
  return std::string(quant::format_of(c.type).name) + (c.sinks ? ", sinks" : "") + ", heads " +
         std::to_string(c.n_heads) + "/" + std::to_string(c.n_kv_heads) + " of " + std::to_string(c.key_dim) +
         ", " + std::to_string(c.value_dim) + ", window " + std::to_string(c.window) + ", cap " +
         std::to_string(c.softcap) + ", mask " + std::to_string(static_cast<int>(c.mask)) + ", tokens " +
         std::to_string(c.tokens);
}

// Against the formula on every ISA (every `step`th token), then bit for bit against other settings.
void check(const Case& c, std::uint32_t step, const std::vector<Setting>& others) {
  SCOPED_TRACE(describe(c));
  Sequence s(c);
  const std::vector<double> k = stored(c.type, s.k);
  const std::vector<double> v = c.values_in_keys ? values_of(c, k) : stored(c.type, s.v);
  for (const sys::Isa isa : sys::kAllIsas) {
    if (!sys::host_has(isa)) continue;
    const std::vector<float> whole = attend(c, s, {.isa = isa});
    const bool bf16 = isa == sys::Isa::kAvx512Bf16 && c.type != DType::kF32;
    // Values are in [-1, 1], scores of size 1 to 2: bfloat16 rounds each, and the weights, by 2^-9.
    const double tolerance = bf16 ? 4 * 0x1p-9 : 2e-6;
    for (std::uint32_t back = 0; back < c.tokens; back += step) {
      const std::uint32_t t = c.tokens - 1 - back;
      for (std::uint32_t head = 0; head < c.n_heads; ++head) {
        const std::vector<double> exact = exact_row(c, s, k, v, t, head);
        const float* ours = whole.data() + (std::size_t{t} * c.n_heads + head) * c.value_dim;
        for (std::uint32_t i = 0; i < c.value_dim; ++i)
          ASSERT_NEAR(ours[i], exact[i], tolerance)
              << sys::name_of(isa) << " token " << t << " head " << head;
      }
    }
    for (Setting setting : others) {
      setting.isa = isa;
      const std::vector<float> other = attend(c, s, setting);
      ASSERT_EQ(std::memcmp(whole.data(), other.data(), whole.size() * sizeof(float)), 0)
          << sys::name_of(isa) << ", " << setting.threads << " threads, chunks of " << setting.chunk;
    }
  }
}

const std::vector<Setting> kSettings = {{.threads = 2},
                                        {.threads = 1, .chunk = 1},
                                        {.threads = 2, .chunk = 7},
                                        {.threads = 3, .chunk = 64},
                                        {.threads = 7, .chunk = 1}};

TEST(AttentionGroups, of_any_number_of_heads) {
  for (const std::uint32_t group : {1U, 2U, 3U, 4U, 7U, 8U})
    check({.n_heads = 3 * group, .n_kv_heads = 3, .tokens = 90}, 5, kSettings);
}

TEST(AttentionHeads, of_any_size) {
  for (const DType type : {DType::kF32, DType::kF16}) {
    for (const std::uint32_t dim : {32U, 40U, 64U, 80U, 96U, 128U, 256U})
      check({.n_heads = 2, .n_kv_heads = 1, .key_dim = dim, .value_dim = dim, .tokens = 70, .type = type}, 9,
            {{.threads = 3, .chunk = 7}});
    check({.key_dim = 96, .value_dim = 64, .type = type}, 9, kSettings);
    check({.key_dim = 24, .value_dim = 112, .type = type}, 9, kSettings);
  }
}

TEST(AttentionCacheTypes, all_with_windows_and_caps) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0}) {
    for (const std::uint32_t window : {0U, 1U, 7U, 64U, 70U})
      check({.window = window, .type = type}, 7, kSettings);
    check({.softcap = 2.0F, .type = type}, 7, kSettings);
    check({.window = 33, .softcap = 1.0F, .type = type}, 7, kSettings);
  }
}

TEST(AttentionContexts, of_every_short_length) {
  for (std::uint32_t tokens = 1; tokens <= 300; tokens += tokens < 70 ? 1 : 23)
    check({.tokens = tokens}, std::max(1U, tokens / 3), {{.threads = 2, .chunk = 13}});
}

// Beyond a share of the context: the shares of chunks of few tokens are dealt out to the threads.
TEST(AttentionContexts, of_several_shares) {
  Case c{.tokens = static_cast<std::uint32_t>(2 * kShareKeys + 330)};
  check(c, 311, {{.threads = 2, .chunk = 1}, {.threads = 7, .chunk = 200}});
  for (const std::uint32_t window : {50U, 1100U}) {
    c.window = window;
    check(c, 311, {{.threads = 2, .chunk = 9}, {.threads = 3, .chunk = 509}});
  }
  c.type = DType::kF32;
  check(c, 311, {{.threads = 2, .chunk = 9}});
}

TEST(AttentionMasks, chunks_of_the_sequence) {
  for (const std::uint32_t window : {1U, 13U, 64U, 100U, 200U})
    check({.window = window, .mask = Mask::kChunked}, 7, kSettings);
}

// An encoder sees a whole text in one call.
TEST(AttentionMasks, both_sides) {
  const std::vector<Setting> settings = {{.threads = 2}, {.threads = 3}, {.threads = 7}};
  for (const std::uint32_t window : {0U, 1U, 9U, 65U, 200U}) {
    for (const std::uint32_t tokens : {1U, 2U, 33U, 150U})
      check({.window = window, .tokens = tokens, .mask = Mask::kSymmetric}, 7, settings);
  }
  for (const std::uint32_t window : {0U, 70U, 1100U}) {
    check({.window = window,
           .tokens = static_cast<std::uint32_t>(2 * kShareKeys + 330),
           .type = DType::kF32,
           .mask = Mask::kSymmetric},
          311, settings);
  }
}

TEST(AttentionSinks, take_part_in_the_softmax_without_a_value) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kQ8_0}) {
    for (const std::uint32_t window : {0U, 1U, 33U})
      check({.window = window, .type = type, .sinks = true}, 7, kSettings);
  }
  for (const std::uint32_t group : {1U, 3U, 8U})
    check({.n_heads = 3 * group, .n_kv_heads = 3, .tokens = 70, .sinks = true}, 7, kSettings);
  check({.window = 13, .mask = Mask::kChunked, .sinks = true}, 7, kSettings);
}

TEST(AttentionSinks, count_once_for_all_shares) {
  check({.tokens = static_cast<std::uint32_t>(2 * kShareKeys + 330), .sinks = true}, 311,
        {{.threads = 2, .chunk = 1}, {.threads = 7, .chunk = 200}});
}

// As latent attention has them: one head of keys, wider than its values.
TEST(AttentionValues, that_are_part_of_the_keys) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    check(
        {.n_heads = 5, .n_kv_heads = 1, .key_dim = 72, .value_dim = 64, .type = type, .values_in_keys = true},
        7, kSettings);
    check({.n_heads = 16,
           .n_kv_heads = 1,
           .key_dim = 40,
           .value_dim = 40,
           .window = 9,
           .type = type,
           .sinks = true,
           .values_in_keys = true},
          7, kSettings);
  }
  check({.n_heads = 4,
         .n_kv_heads = 1,
         .key_dim = 96,
         .value_dim = 32,
         .type = DType::kQ8_0,
         .values_in_keys = true},
        7, kSettings);
}

TEST(AttentionScratch, is_whole_cache_lines_and_enough_for_smaller_heads) {
  for (std::size_t dim = 1; dim <= 600; ++dim) {
    EXPECT_EQ(AttentionScratch(dim).total() % 16, 0U) << dim;
    EXPECT_GE(attention_scratch_floats(600), AttentionScratch(dim).total()) << dim;
  }
}

}  // namespace
}  // namespace cistern::ops
