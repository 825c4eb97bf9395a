#include "kv/page_pool.h"

#include <gtest/gtest.h>

#include <cstring>

#include "kv/cache.h"

namespace cistern::kv {
namespace {

// A layer of every token, a ring, a state, and side rows that fit a page and that do not.
CacheShape mixed_shape() {
  return {
      .layers = {{.n_kv_heads = 2, .key_dim = 8, .value_dim = 4},
                 {.n_kv_heads = 1, .key_dim = 8, .value_dim = 8, .window = 20},
                 {.state_floats = 5},
                 {.n_kv_heads = 1, .key_dim = 16, .value_dim = 16, .values_in_keys = true, .index_dim = 8},
                 {.n_kv_heads = 1,
                  .key_dim = 16,
                  .value_dim = 16,
                  .window = 20,
                  .values_in_keys = true,
                  .index_dim = 8,
                  .compressed_dim = 16,
                  .compress_ratio = 128,
                  .state_floats = 3}},
      .type = DType::kF32,
      .context_tokens = 300,
      .chunk_tokens = 8};
}

TEST(PagePool, pages_and_what_sequences_have_beside_them_are_all_that_a_cache_has) {
  CacheShape shape = mixed_shape();
  shape.context_tokens = 4 * kPageTokens;
  EXPECT_EQ(4 * page_bytes(shape) + own_bytes(shape), total_bytes(shape));
}

TEST(PagePool, counts_references) {
  auto pool = PagePool::create(mixed_shape(), 2);
  ASSERT_TRUE(pool);
  const PageId a = *pool->take();
  const PageId b = *pool->take();
  EXPECT_NE(a, b);
  EXPECT_FALSE(pool->take());
  pool->add_reference(a);
  pool->drop(a);
  EXPECT_EQ(pool->free_pages(), 0U);
  pool->drop(a);
  EXPECT_EQ(pool->free_pages(), 1U);
  EXPECT_EQ(pool->take(), a);
}

// Every row of a sequence that took its pages in any order is a place of its own.
TEST(PagedCache, rows_do_not_overlap) {
  const CacheShape shape = mixed_shape();
  auto pool = PagePool::create(shape, 12);
  ASSERT_TRUE(pool);
  auto first = Cache::create(shape, *pool);
  auto second = Cache::create(shape, *pool);
  ASSERT_TRUE(first && second);
  for (std::uint32_t tokens = 0; tokens < 300; tokens += 60) {
    for (Cache* cache : {&*first, &*second}) {
      ASSERT_TRUE(cache->reserve(60));
      cache->advance(60);
    }
  }
  EXPECT_EQ(pool->free_pages(), 2U);
  // Each byte of each row gets its writer's number; then all must still be there.
  for (const bool write : {true, false}) {
    std::uint8_t number = 0;
    for (const Cache* cache : {&*first, &*second}) {
      for (std::uint32_t li = 0; li < shape.layers.size(); ++li) {
        const LayerView layer = cache->layer(li);
        const auto visit = [&](std::byte* row, std::uint64_t bytes) {
          number = static_cast<std::uint8_t>(number * 5 + 1);
          if (write) std::memset(row, number, bytes);
          for (std::uint64_t i = 0; i < bytes; ++i) ASSERT_EQ(row[i], std::byte{number}) << "layer " << li;
        };
        const std::uint32_t rows = layer.pages != nullptr ? 300 : layer.slots;
        for (std::uint32_t p = 0; p < rows; ++p) {
          if (shape.layers[li].n_kv_heads == 0) continue;
          visit(layer.key_row(p), layer.key_row_bytes);
          if (!shape.layers[li].values_in_keys) visit(layer.value_row(p), layer.value_row_bytes);
        }
        for (std::uint32_t row = 0; row < 300 / shape.layers[li].compress_ratio; ++row) {
          visit(layer.index_row(row), layer.index_row_bytes);
          visit(layer.compressed_row(row), layer.compressed_row_bytes);
        }
        visit(reinterpret_cast<std::byte*>(layer.state.data()), layer.state.size() * sizeof(float));
      }
    }
  }
}

TEST(PagedCache, takes_pages_as_it_grows_and_gives_them_back) {
  auto pool = PagePool::create(mixed_shape(), 3);
  ASSERT_TRUE(pool);
  {
    auto cache = Cache::create(mixed_shape(), *pool);
    ASSERT_TRUE(cache);
    ASSERT_TRUE(cache->reserve(1));
    EXPECT_EQ(pool->free_pages(), 2U);
    cache->advance(1);
    ASSERT_TRUE(cache->reserve(kPageTokens - 1)) << "the page has room";
    EXPECT_EQ(pool->free_pages(), 2U);
    EXPECT_FALSE(cache->reserve(3 * kPageTokens));
    EXPECT_EQ(pool->free_pages(), 2U) << "nothing changed";
    cache->truncate(0);
    EXPECT_EQ(pool->free_pages(), 3U);
    ASSERT_TRUE(cache->reserve(2 * kPageTokens));
  }
  EXPECT_EQ(pool->free_pages(), 3U);
}

TEST(PagedCache, begins_with_pages_of_another_and_with_what_that_had_beside_them) {
  const CacheShape shape = mixed_shape();
  auto pool = PagePool::create(shape, 4);
  ASSERT_TRUE(pool);
  auto from = Cache::create(shape, *pool);
  auto to = Cache::create(shape, *pool);
  ASSERT_TRUE(from && to);
  ASSERT_TRUE(from->reserve(kPageTokens));
  from->advance(kPageTokens);
  std::memset(from->layer(0).key_row(13), 7, from->layer(0).key_row_bytes);
  from->layer(2).state[4] = 2.5F;
  std::vector<std::byte> own(from->own_bytes());
  from->save_own(own);
  pool->add_reference(from->pages()[0]);
  to->begin(from->pages(), kPageTokens, own);
  EXPECT_EQ(to->length(), kPageTokens);
  EXPECT_EQ(to->layer(0).key_row(13), from->layer(0).key_row(13)) << "the same memory";
  EXPECT_EQ(to->layer(2).state[4], 2.5F);
  EXPECT_NE(to->layer(2).state.data(), from->layer(2).state.data());
  from->truncate(0);
  EXPECT_EQ(pool->free_pages(), 3U) << "the other one still has it";
}

}  // namespace
}  // namespace cistern::kv
