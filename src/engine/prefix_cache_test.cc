#include "engine/prefix_cache.h"

#include <gtest/gtest.h>

#include <numeric>

namespace cistern::engine {
namespace {

using Ids = std::vector<text::TokenId>;

class Prefixes : public ::testing::TestWithParam<bool> {
 protected:
  // With or without a state, which only checkpoints bring back.
  static kv::CacheShape shape_of(bool has_state) {
    kv::CacheShape shape{.layers = {{.n_kv_heads = 1, .key_dim = 8, .value_dim = 8}},
                         .type = DType::kF32,
                         .context_tokens = 400,
                         .chunk_tokens = 64};
    if (has_state) shape.layers.push_back({.state_floats = 4});
    return shape;
  }

  void SetUp() override {
    auto pool = kv::PagePool::create(shape_, kPages);
    ASSERT_TRUE(pool);
    pool_ = std::make_unique<kv::PagePool>(*std::move(pool));
    auto cache = PrefixCache::create(*pool_, kv::own_bytes(shape_), 4);
    ASSERT_TRUE(cache);
    prefixes_ = std::make_unique<PrefixCache>(*std::move(cache));
  }

  kv::Cache make_cache() { return *kv::Cache::create(shape_, *pool_); }

  // As the scheduler does: reads the tokens, remembers every page and the rest.
  void read(const Ids& ids) {
    kv::Cache cache = make_cache();
    PrefixCache::Node* node = prefixes_->begin(cache, ids, false);
    for (std::uint32_t page = cache.length() / kv::kPageTokens; cache.length() < ids.size(); ++page) {
      const auto end =
          std::min<std::uint32_t>((page + 1) * kv::kPageTokens, static_cast<std::uint32_t>(ids.size()));
      ASSERT_TRUE(prefixes_->make_room(1) && cache.reserve(end - cache.length()));
      for (std::uint32_t p = cache.length(); p < end; ++p) mark(cache, p) = ids[p];
      if (has_state_) cache.layer(1).state[0] = static_cast<float>(end);
      cache.advance(end - cache.length());
      const auto begin = page * kv::kPageTokens;
      node = prefixes_->add(node, std::span(ids).subspan(begin, end - begin), cache.pages()[page]);
      prefixes_->save(node, cache, nullptr);
    }
  }

  // What a cache that begins with `ids` has of them; checks that it is theirs.
  std::uint32_t known(const Ids& ids) {
    kv::Cache cache = make_cache();
    EXPECT_LE(prefixes_->find(ids, false), ids.size() - 1);
    prefixes_->begin(cache, ids, false);
    EXPECT_LT(cache.length(), ids.size());
    for (std::uint32_t p = 0; p < cache.length(); ++p) EXPECT_EQ(mark(cache, p), ids[p]) << p;
    if (has_state_ && cache.length() > 0) {
      EXPECT_EQ(cache.layer(1).state[0], static_cast<float>(cache.length()));
    }
    return cache.length();
  }

  static text::TokenId& mark(const kv::Cache& cache, std::uint32_t position) {
    return *reinterpret_cast<text::TokenId*>(cache.layer(0).key_row(position));
  }

  static Ids ids(std::size_t n, text::TokenId first) {
    Ids ids(n);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
  }
  static Ids joined(Ids a, const Ids& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  static constexpr std::uint32_t kPages = 8;
  bool has_state_ = GetParam();
  kv::CacheShape shape_ = shape_of(has_state_);
  std::unique_ptr<kv::PagePool> pool_;
  std::unique_ptr<PrefixCache> prefixes_;
};

INSTANTIATE_TEST_SUITE_P(States, Prefixes, ::testing::Bool());

TEST_P(Prefixes, know_nothing_at_first) {
  EXPECT_EQ(known(ids(100, 0)), 0U);
  EXPECT_EQ(known(ids(1, 0)), 0U);
}

TEST_P(Prefixes, are_found_to_the_token_or_to_the_checkpoint) {
  const Ids first = ids(150, 0);
  read(first);
  EXPECT_EQ(known(joined(first, ids(9, 900))), 150U) << "all that was read";
  EXPECT_EQ(known(first), has_state_ ? 128U : 149U) << "but the last token";
  EXPECT_EQ(known(joined(ids(140, 0), ids(9, 900))), has_state_ ? 128U : 140U);
  EXPECT_EQ(known(joined(ids(70, 0), ids(9, 900))), has_state_ ? 64U : 70U);
  EXPECT_EQ(known(ids(64, 0)), has_state_ ? 0U : 63U);
}

TEST_P(Prefixes, share_pages_and_keep_what_differs_apart) {
  const Ids shared = ids(64, 0);
  read(joined(shared, ids(80, 100)));
  const std::uint32_t before = pool_->free_pages();
  read(joined(shared, ids(80, 500)));
  EXPECT_EQ(before - pool_->free_pages(), 2U) << "the first page is there already";
  EXPECT_EQ(known(joined(joined(shared, ids(80, 500)), ids(2, 0))), 144U);
  EXPECT_EQ(known(joined(joined(shared, ids(80, 100)), ids(2, 0))), 144U);
}

TEST_P(Prefixes, give_up_what_was_not_used_for_longest) {
  const Ids a = ids(128, 0), b = ids(128, 1000), c = ids(128, 2000);
  read(a);
  read(b);
  EXPECT_EQ(prefixes_->unused_pages(), 4U);
  known(joined(a, {7}));
  ASSERT_TRUE(prefixes_->make_room(kPages - 2));
  EXPECT_EQ(known(joined(b, {7})), 0U);
  EXPECT_EQ(known(joined(a, {7})), 128U);
  kv::Cache holder = make_cache();
  prefixes_->begin(holder, joined(a, {7}), false);
  EXPECT_FALSE(prefixes_->make_room(kPages)) << "somebody holds two";
  EXPECT_EQ(pool_->free_pages(), kPages - 2);
}

TEST_P(Prefixes, keep_the_checkpoints_used_last) {
  const Ids a = ids(128, 0), b = ids(128, 1000), c = ids(64, 2000);
  read(a);
  read(b);
  known(joined(ids(64, 0), {7}));  // from the first checkpoint of a
  read(c);
  EXPECT_EQ(known(joined(a, {7})), has_state_ ? 64U : 128U) << "the second one went";
  EXPECT_EQ(known(joined(b, {7})), 128U);
  EXPECT_EQ(known(joined(c, {7})), 64U);
}

TEST_P(Prefixes, of_long_rope_are_others) {
  const Ids first = ids(100, 0);
  read(first);
  EXPECT_EQ(prefixes_->find(joined(first, {7}), true), 0U);
}

}  // namespace
}  // namespace cistern::engine
