#include "kv/cache.h"

#include <gtest/gtest.h>

#include <algorithm>

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

// One layer of latent attention with an indexer: 72 values of a key, which hold the values too.
LayerShape latent_layer() {
  return {.n_kv_heads = 1, .key_dim = 72, .value_dim = 64, .values_in_keys = true, .index_dim = 40};
}

TEST(CacheShape, values_that_are_part_of_the_keys_cost_nothing) {
  const CacheShape shape{.layers = {latent_layer()}, .context_tokens = 100};
  EXPECT_EQ(key_row_bytes(shape.layers[0], DType::kF16), 192U) << "144 bytes, rounded up to cache lines";
  EXPECT_EQ(value_row_bytes(shape.layers[0], DType::kF16), 0U);
  EXPECT_EQ(index_row_bytes(shape.layers[0], DType::kF16), 128U) << "80 bytes, rounded up";
  EXPECT_EQ(total_bytes(shape), 100U * (192 + 128));
}

TEST(CacheShape, side_rows_are_as_many_as_whole_groups_of_tokens) {
  const LayerShape layer{.n_kv_heads = 1,
                         .key_dim = 32,
                         .value_dim = 32,
                         .window = 12,
                         .values_in_keys = true,
                         .index_dim = 16,
                         .compressed_dim = 32,
                         .compress_ratio = 4,
                         .state_floats = 7};
  const CacheShape shape{.layers = {layer}, .type = DType::kF32, .context_tokens = 103, .chunk_tokens = 8};
  EXPECT_EQ(side_slots_of(layer, shape), 25U);
  EXPECT_EQ(compressed_row_bytes(layer, DType::kF32), 128U);
  EXPECT_EQ(index_row_bytes(layer, DType::kF32), 64U);
  EXPECT_EQ(total_bytes(shape), (12U - 1 + 8) * 128 + 25 * (128 + 64) + 64);
}

TEST(CacheShape, a_state_is_as_large_for_any_context_and_type) {
  CacheShape shape{.layers = {{.state_floats = 1000}}, .context_tokens = 1};
  EXPECT_EQ(total_bytes(shape), 4032U) << "4000 bytes, rounded up to cache lines";
  shape.context_tokens = 100000;
  shape.type = DType::kF32;
  EXPECT_EQ(total_bytes(shape), 4032U);
}

TEST(CacheShape, heads_of_side_rows_must_be_whole_blocks_too) {
  CacheShape shape{.layers = {{.index_dim = 40}}, .type = DType::kQ8_0, .context_tokens = 8};
  EXPECT_EQ(validate(shape).error().code, ErrorCode::kUnsupported);
  shape.layers[0] = {.compressed_dim = 72};
  EXPECT_EQ(validate(shape).error().code, ErrorCode::kUnsupported);
  shape.layers[0] = {.index_dim = 64, .compressed_dim = 96};
  EXPECT_TRUE(validate(shape));
}

// Every part of every layer begins where the part before it ends, and the last ends with the memory.
TEST(Cache, places_all_parts_of_a_layer_one_after_the_other) {
  LayerShape compressed = latent_layer();
  compressed.compressed_dim = 72;
  compressed.compress_ratio = 3;
  compressed.state_floats = 50;
  const CacheShape shape{.layers = {latent_layer(),
                                    compressed,
                                    {.state_floats = 9},
                                    {.n_kv_heads = 2, .key_dim = 8, .value_dim = 4}},
                         .type = DType::kF32,
                         .context_tokens = 20};
  const auto cache = Cache::create(shape);
  ASSERT_TRUE(cache);
  const std::byte* next = cache->layer(0).keys;
  for (std::uint32_t li = 0; li < shape.layers.size(); ++li) {
    const LayerView layer = cache->layer(li);
    const LayerShape& s = shape.layers[li];
    EXPECT_EQ(layer.keys, next);
    next += layer.slots * layer.key_row_bytes;
    if (s.values_in_keys) {
      EXPECT_EQ(layer.values, layer.keys);
      EXPECT_EQ(layer.value_row(5), layer.key_row(5));
    } else {
      EXPECT_EQ(layer.values, next);
      next += layer.slots * layer.value_row_bytes;
    }
    EXPECT_EQ(layer.index_row(0), next);
    next += side_slots_of(s, shape) * layer.index_row_bytes;
    EXPECT_EQ(layer.compressed_row(0), next);
    next += side_slots_of(s, shape) * layer.compressed_row_bytes;
    EXPECT_EQ(layer.state.size(), s.state_floats);
    EXPECT_EQ(reinterpret_cast<const std::byte*>(layer.state.data()), next);
    next += (s.state_floats * 4 + 63) / 64 * 64;
  }
  EXPECT_EQ(static_cast<std::uint64_t>(next - cache->layer(0).keys), total_bytes(shape));
}

CacheShape recurrent_shape() {
  CacheShape shape = shape_of(0);
  shape.layers.push_back({.state_floats = 3});
  shape.layers.push_back({.state_floats = 2});
  return shape;
}

TEST(Cache, a_state_starts_with_zeros_and_is_cleared_with_the_sequence) {
  auto cache = Cache::create(recurrent_shape());
  ASSERT_TRUE(cache);
  EXPECT_TRUE(cache->layer(0).state.empty());
  const std::span<float> state = cache->layer(1).state;
  for (const float v : state) EXPECT_EQ(v, 0.0F);
  std::ranges::fill(state, 5.0F);
  cache->advance(10);
  cache->truncate(10);
  EXPECT_EQ(state[2], 5.0F) << "nothing was cut";
  cache->truncate(0);
  for (const float v : state) EXPECT_EQ(v, 0.0F);
  EXPECT_EQ(cache->length(), 0U);
}

TEST(Cache, a_state_has_no_past) {
  auto cache = Cache::create(recurrent_shape());
  ASSERT_TRUE(cache);
  cache->advance(10);
  EXPECT_TRUE(cache->can_truncate(0));
  EXPECT_TRUE(cache->can_truncate(10));
  EXPECT_FALSE(cache->can_truncate(9));
  EXPECT_FALSE(cache->can_truncate(11));
}

TEST(Cache, returns_to_a_checkpoint_with_all_states) {
  auto cache = Cache::create(recurrent_shape());
  ASSERT_TRUE(cache);
  const auto set = [&](float value) {
    for (const std::uint32_t li : {1U, 2U}) {
      const std::span<float> state = cache->layer(li).state;
      for (std::size_t i = 0; i < state.size(); ++i) state[i] = value + static_cast<float>(10 * li + i);
    }
  };
  EXPECT_TRUE(cache->has_state());
  Cache::Checkpoint empty;
  cache->save(empty);
  set(100);
  cache->advance(7);
  Cache::Checkpoint seven;
  cache->save(seven);
  EXPECT_EQ(seven.states, (std::vector<float>{110, 111, 112, 120, 121}));
  set(200);
  cache->advance(20);
  cache->restore(seven);
  EXPECT_EQ(cache->length(), 7U);
  EXPECT_EQ(cache->layer(1).state[2], 112.0F);
  EXPECT_EQ(cache->layer(2).state[0], 120.0F);
  cache->restore(empty);
  EXPECT_EQ(cache->length(), 0U);
  EXPECT_EQ(cache->layer(2).state[1], 0.0F);
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
  EXPECT_FALSE(cache->has_state());
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
