#include "kv/cache.h"

#include <gtest/gtest.h>

namespace cistern::kv {
namespace {

CacheShape shape_of(std::uint32_t window, DType type = DType::kF16) {
  return {.layers = {{.n_kv_heads = 2, .key_dim = 32, .value_dim = 64, .window = window}},
          .type = type,
          .context_tokens = 100,
          .chunk_tokens = 8};
}

TEST(CacheShape, full_layers_keep_the_context_and_windows_what_a_chunk_sees) {
  EXPECT_EQ(slots_of(shape_of(0).layers[0], shape_of(0)), 100U);
  EXPECT_EQ(slots_of(shape_of(12).layers[0], shape_of(12)), 12U - 1 + 8);
  EXPECT_EQ(slots_of(shape_of(4000000000U).layers[0], shape_of(4000000000U)), 100U);
}

TEST(CacheShape, bytes_follow_from_type_and_heads) {
  const CacheShape f16 = shape_of(0);
  EXPECT_EQ(key_row_bytes(f16.layers[0], DType::kF16), 2U * 32 * 2);
  EXPECT_EQ(value_row_bytes(f16.layers[0], DType::kF16), 2U * 64 * 2);
  EXPECT_EQ(layer_bytes(f16.layers[0], f16), 100U * (128 + 256));
  EXPECT_EQ(key_row_bytes(f16.layers[0], DType::kQ8_0), 128U)
      << "2 blocks of 34 bytes, rounded up to cache lines";
  EXPECT_EQ(total_bytes(f16), layer_bytes(f16.layers[0], f16));
}

TEST(CacheShape, refuses_types_and_heads_that_do_not_go_together) {
  EXPECT_TRUE(validate(shape_of(0, DType::kQ4_0)));
  EXPECT_EQ(validate(shape_of(0, DType::kQ6_K)).error().code, ErrorCode::kUsage);
  CacheShape odd = shape_of(0, DType::kQ8_0);
  odd.layers[0].key_dim = 40;
  EXPECT_EQ(validate(odd).error().code, ErrorCode::kUnsupported);
  odd.type = DType::kF16;
  EXPECT_TRUE(validate(odd));
}

TEST(CacheShape, layers_of_encoders_share_their_memory) {
  CacheShape shape = shape_of(0);
  shape.layers.push_back(shape.layers[0]);
  shape.layers.back().key_dim = 64;
  const std::uint64_t widest = layer_bytes(shape.layers[1], shape);
  EXPECT_EQ(total_bytes(shape), layer_bytes(shape.layers[0], shape) + widest);
  shape.transient = true;
  EXPECT_EQ(total_bytes(shape), widest);
  const auto cache = Cache::create(shape);
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->layer(0).keys, cache->layer(1).keys);
}

TEST(Cache, allocates_rows_apart_from_each_other) {
  auto cache = Cache::create(shape_of(0));
  ASSERT_TRUE(cache);
  const LayerView layer = cache->layer(0);
  EXPECT_EQ(layer.key_row(1) - layer.key_row(0), static_cast<std::ptrdiff_t>(layer.key_row_bytes));
  EXPECT_EQ(layer.values, layer.keys + 100 * layer.key_row_bytes);
}

TEST(Cache, a_full_cache_can_be_cut_anywhere) {
  auto cache = Cache::create(shape_of(0));
  cache->advance(90);
  EXPECT_TRUE(cache->can_truncate(0));
  EXPECT_TRUE(cache->can_truncate(45));
  EXPECT_FALSE(cache->can_truncate(91));
  cache->truncate(45);
  EXPECT_EQ(cache->length(), 45U);
}

TEST(Cache, a_ring_can_be_cut_only_to_what_it_still_holds) {
  auto cache = Cache::create(shape_of(12));  // 19 slots
  for (int i = 0; i < 5; ++i) cache->advance(8);
  EXPECT_EQ(cache->length(), 40U);  // positions 21..39 are held
  EXPECT_TRUE(cache->can_truncate(40));
  EXPECT_TRUE(cache->can_truncate(32));   // the query at 32 sees 21..32
  EXPECT_FALSE(cache->can_truncate(31));  // and at 31 it would see 20
  EXPECT_TRUE(cache->can_truncate(0));
  cache->truncate(33);
  EXPECT_FALSE(cache->can_truncate(15)) << "the ring is overwritten, however short the sequence is now";
  cache->truncate(0);
  cache->advance(8);
  EXPECT_TRUE(cache->can_truncate(3));
}

}  // namespace
}  // namespace cistern::kv
