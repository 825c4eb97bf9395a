// Selection against a full sort of exact scores. Queries, keys and weights are small whole numbers, so that
// scores are exact in float and many are equal.
#include "ops/indexer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "ops/op_test.h"

namespace cistern::ops {
namespace {

using Floats = std::vector<float>;
using Ids = std::vector<std::uint32_t>;

constexpr std::uint32_t kHeads = 3;
constexpr std::uint32_t kDim = 18;

Floats whole_numbers(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  Floats values(n);
  for (float& v : values) v = static_cast<float>(rng.next() % 5) - 2;
  return values;
}

struct Case {
  std::uint32_t tokens = 90, top_k = 7, ratio = 1, chunk = 90;
  DType type = DType::kF16;
  int threads = 1;
};

struct Sequence {
  explicit Sequence(const Case& c)
      : queries(whole_numbers(std::size_t{c.tokens} * kHeads * kDim, 1)),
        weights(whole_numbers(std::size_t{c.tokens} * kHeads, 2)),
        keys(whole_numbers(std::size_t{c.tokens / c.ratio} * kDim, 3)) {}
  Floats queries, weights, keys;

  int score(std::size_t t, std::size_t p) const {
    int sum = 0;
    for (std::size_t h = 0; h < kHeads; ++h) {
      int dot = 0;
      for (std::size_t i = 0; i < kDim; ++i)
        dot += static_cast<int>(queries[(t * kHeads + h) * kDim + i] * keys[p * kDim + i]);
      sum += static_cast<int>(weights[t * kHeads + h]) * std::max(dot, 0);
    }
    return sum;
  }
};

// The first token whose query has top_k keys to choose from.
std::uint32_t first_query(const Case& c) {
  return c.top_k * c.ratio - 1;
}

Ids select(const Case& c, Sequence s) {
  Machine machine(c.threads);
  const auto cache = kv::Cache::create({.layers = {{.index_dim = kDim, .compress_ratio = c.ratio}},
                                        .type = c.type,
                                        .context_tokens = c.tokens,
                                        .chunk_tokens = c.tokens});
  EXPECT_TRUE(cache);
  store_index_keys(machine.exec, view(s.keys, kDim), cache->layer(0), 0);
  Ids selected;
  for (std::uint32_t t = first_query(c); t < c.tokens; t += c.chunk) {
    const std::uint32_t n = std::min(c.chunk, c.tokens - t);
    Ids part(std::size_t{n} * c.top_k);
    select_tokens(machine.exec, {.queries = view(s.queries, kHeads * kDim).rows(t, n),
                                 .weights = view(s.weights, kHeads).rows(t, n),
                                 .cache = cache->layer(0),
                                 .first_position = t,
                                 .ratio = c.ratio,
                                 .top_k = c.top_k,
                                 .selected = part});
    selected.insert(selected.end(), part.begin(), part.end());
  }
  return selected;
}

Ids select_by_sorting(const Case& c, const Sequence& s) {
  Ids selected;
  for (std::uint32_t t = first_query(c); t < c.tokens; ++t) {
    Ids order((t + 1) / c.ratio);
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, std::ranges::greater(), [&](std::uint32_t p) { return s.score(t, p); });
    std::sort(order.begin(), order.begin() + c.top_k);
    selected.insert(selected.end(), order.begin(), order.begin() + c.top_k);
  }
  return selected;
}

TEST(SelectTokens, takes_the_best_and_of_equals_the_first) {
  for (const std::uint32_t top_k : {1U, 2U, 7U, 64U, 90U}) {
    for (const std::uint32_t ratio : {1U, 3U, 4U}) {
      if (top_k * ratio > 90) continue;
      for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
        Case c{.top_k = top_k, .ratio = ratio, .type = type};
        const Sequence s(c);
        const Ids whole = select(c, s);
        EXPECT_EQ(whole, select_by_sorting(c, s)) << top_k << " of " << ratio << " to one";
        for (const auto& [threads, chunk] : {std::pair{3, 90U}, {7, 5U}, {2, 1U}}) {
          c.threads = threads;
          c.chunk = chunk;
          EXPECT_EQ(select(c, s), whole) << threads << " threads, chunks of " << chunk;
        }
      }
    }
  }
}

TEST(SelectTokens, all_equal_are_the_first) {
  const Case c{.tokens = 40, .top_k = 5};
  Sequence s(c);
  std::ranges::fill(s.weights, 0.0F);
  const Ids selected = select(c, s);
  for (std::size_t i = 0; i < selected.size(); ++i) EXPECT_EQ(selected[i], i % 5);
}

TEST(GatherKeys, makes_a_cache_of_the_rows) {
  Machine machine(3);
  const auto cache = kv::Cache::create(
      {.layers = {{.n_kv_heads = 1, .key_dim = 40, .value_dim = 32, .values_in_keys = true}},
       .type = DType::kF16,
       .context_tokens = 600,
       .chunk_tokens = 1});
  ASSERT_TRUE(cache);
  const kv::LayerView all = cache->layer(0);
  for (std::uint64_t p = 0; p < 600; ++p)
    std::memset(all.key_row(p), static_cast<int>(p % 251), all.key_row_bytes);
  Ids positions;
  for (std::uint32_t p = 1; p < 600; p += 2) positions.push_back(p);
  std::vector<std::byte> memory(positions.size() * all.key_row_bytes);
  const kv::LayerView few = gather_keys(machine.exec, all, positions, memory.data());
  EXPECT_EQ(few.slots, positions.size());
  EXPECT_EQ(few.values, few.keys);
  for (std::size_t i = 0; i < positions.size(); ++i)
    EXPECT_EQ(std::memcmp(few.key_row(i), all.key_row(positions[i]), all.key_row_bytes), 0) << i;
}

}  // namespace
}  // namespace cistern::ops
