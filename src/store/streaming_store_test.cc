#include "store/streaming_store.h"

#include <gtest/gtest.h>

#include "store/store_test.h"

namespace cistern::store {
namespace {

using Kind = testing::ReadFault::Kind;
using Slices = std::vector<std::uint32_t>;
using SliceId = SliceCache::SliceId;

constexpr std::uint64_t kPage = sys::kReadAlignment;

class StreamingStoreTest : public ::testing::Test {
 protected:
  std::uint64_t streamed_bytes(const file::Placement& placement) const {
    std::uint64_t sum = 0;
    for (const auto& layer : placement.streamed) sum += file::lay_out(model_.inventory(), layer).bytes;
    return sum;
  }
  // A cache of so many slots for each kind of expert's matrix.
  file::Placement with_slots(std::uint64_t slots_of_a_class) const {
    file::Placement placement = model_.placement(0, 1);
    // 48 matrices of gate and up, 24 of down: the same part of each class.
    placement.cache_bytes = placement.cache_bytes * slots_of_a_class / 24;
    return placement;
  }

  TestModel model_;
};

// Windows from one that holds no more than the largest layer to one that holds all twice.
TEST_F(StreamingStoreTest, streamed_tensors_are_the_bytes_of_the_file) {
  for (const std::size_t n_layers : {1U, 2U, 3U, 4U}) {
    const std::uint64_t all = streamed_bytes(model_.placement(0, 1, n_layers));
    for (const std::uint64_t extra : {std::uint64_t{0}, kPage, 10 * kPage, all, 2 * all}) {
      const TestStore s(model_, model_.placement(extra, 0.5, n_layers));
      for (int pass = 0; pass < 4; ++pass) {
        for (std::size_t li = 0; li < n_layers; ++li)
          EXPECT_EQ(s.wrong_layer(li), "") << n_layers << " layers, window + " << extra << ", pass " << pass;
      }
    }
  }
}

TEST_F(StreamingStoreTest, the_same_with_a_reader_of_its_own_choice_and_with_delays) {
  const std::vector<testing::ReadFault> late = {{.kind = Kind::kDelay, .skip = 1, .count = 3, .calls = 5},
                                                {.kind = Kind::kDelay, .skip = 7, .calls = 2}};
  for (const bool delayed : {false, true}) {
    auto inner = sys::make_file_reader(model_.paths());
    ASSERT_TRUE(inner) << describe(inner.error());
    TestStore s(model_);
    auto opened = StreamingStore::open(
        model_.inventory(), model_.placement(kPage, 0.3), model_.paths(),
        std::make_unique<testing::FaultyReader>(std::move(*inner), delayed ? late : decltype(late)()), {});
    ASSERT_TRUE(opened) << describe(opened.error());
    s.store = std::move(*opened);
    Rng rng(3);
    for (int pass = 0; pass < 5; ++pass) {
      for (std::size_t li = 0; li < 4; ++li) {
        EXPECT_EQ(s.wrong_slices("l0.up", some_slices(rng, 3)), "");
        EXPECT_EQ(s.wrong_layer(li), "");
        EXPECT_EQ(s.wrong_slices("table", {49, 0, 7, 7, 0}), "");
      }
    }
  }
}

TEST_F(StreamingStoreTest, a_pass_reads_each_streamed_byte_once) {
  for (const std::uint64_t extra : {std::uint64_t{0}, 100 * kPage}) {
    const file::Placement placement = model_.placement(extra, 1);
    const TestStore s(model_, placement);
    for (std::uint64_t pass = 1; pass <= 3; ++pass) {
      for (std::size_t li = 0; li < 4; ++li) ASSERT_EQ(s.wrong_layer(li), "");
      EXPECT_GE(s.store->stats().bytes_read, pass * streamed_bytes(placement));
      EXPECT_LE(s.store->stats().bytes_read, pass * streamed_bytes(placement) + placement.window_bytes)
          << "and what was read ahead";
    }
  }
}

TEST_F(StreamingStoreTest, the_next_layer_is_read_while_one_is_in_use) {
  const file::Placement placement = model_.placement(streamed_bytes(model_.placement(0, 1)), 1);
  const TestStore s(model_, placement);
  const std::uint64_t before = s.store->stats().bytes_read;
  ASSERT_EQ(s.wrong_layer(0), "");
  EXPECT_GT(s.reader->unfinished(), 0U);
  // Nothing but the next layers is on its way: it is there when it is asked for, and not asked for again.
  while (s.reader->unfinished() > 0) EXPECT_EQ(s.wrong_slices("table", {1}), "");
  const std::uint64_t ahead = s.store->stats().bytes_read - before;
  EXPECT_GT(ahead, file::lay_out(model_.inventory(), placement.streamed[1]).bytes);
}

TEST_F(StreamingStoreTest, tensors_may_be_asked_for_in_any_order_and_again) {
  Rng rng(2);
  for (const std::uint64_t extra : {std::uint64_t{0}, 50 * kPage}) {
    const TestStore s(model_, model_.placement(extra, 0.5));
    for (int i = 0; i < 60; ++i) {
      const Names& layer = TestModel::layers()[rng.next() % 4];
      EXPECT_EQ(s.wrong_tensor(layer[rng.next() % layer.size()]), "");
      EXPECT_EQ(s.wrong_tensor(layer[0]), "");
      if (rng.next() % 3 != 0) s.store->layer_done();
      if (rng.next() % 4 == 0) s.store->layer_done();
    }
    EXPECT_EQ(s.wrong_tensor("norm"), "");
    EXPECT_EQ(s.wrong_tensor("head"), "");
  }
}

TEST_F(StreamingStoreTest, rows_of_tables_are_the_bytes_of_the_file) {
  const TestStore s(model_, model_.placement(0, 0.5));
  const std::uint64_t before = s.store->stats().bytes_read;
  EXPECT_EQ(s.wrong_slices("table", {0}), "");
  EXPECT_EQ(s.wrong_slices("table", {kTableRows - 1, 3, 3, 17, 3, 0}), "") << "as many as there is room for";
  EXPECT_LE(s.store->stats().bytes_read - before, 7 * 2 * kPage + streamed_bytes(model_.placement(0, 1)))
      << "a row is a page or two";
  EXPECT_EQ(s.wrong_slices("head", {19, 0, 19}), "") << "of a table that is in memory";
  EXPECT_EQ(s.wrong_slices("table", {}), "");
}

TEST_F(StreamingStoreTest, experts_are_the_bytes_of_the_file) {
  for (const std::uint64_t slots : {3U, 4U, 11U, 24U}) {
    const TestStore s(model_, with_slots(slots));
    Rng rng(slots);
    std::uint64_t asked = 0;
    for (int i = 0; i < 300; ++i) {
      const std::string& stack = TestModel::stacks()[rng.next() % TestModel::stacks().size()];
      const Slices slices = some_slices(rng, 1 + rng.next() % 3);
      asked += slices.size();
      EXPECT_EQ(s.wrong_slices(stack, slices), "") << slots << " slots";
    }
    const StreamingStats stats = s.store->stats();
    EXPECT_EQ(stats.hits + stats.misses, asked);
    if (slots == 24) {
      EXPECT_EQ(stats.misses, 6 * kExperts) << "each is read once, where all have room";
    } else {
      EXPECT_GT(stats.misses, 6 * kExperts);
    }
  }
}

TEST_F(StreamingStoreTest, an_expert_asked_for_twice_at_once_is_read_once) {
  const TestStore s(model_, with_slots(4));
  EXPECT_EQ(s.wrong_slices("l0.down", {5, 2, 5, 5}), "");
  EXPECT_EQ(s.store->stats().misses, 2U);
  EXPECT_EQ(s.wrong_slices("l0.down", {5, 2}), "");
  EXPECT_EQ(s.wrong_slices("l0.down", {1, 2, 3, 4}), "");
  EXPECT_EQ(s.wrong_slices("l0.down", {5, 6, 5, 7}), "");
}

TEST_F(StreamingStoreTest, the_least_wanted_experts_give_way) {
  const TestStore s(model_, with_slots(6));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(s.wrong_slices("l0.down", {3, 8}), "");
  // Twenty others pass through the four places that are left.
  for (std::uint32_t i = 0; i < kExperts; ++i) EXPECT_EQ(s.wrong_slices("l1.down", {i}), "");
  for (const std::uint32_t i : {0U, 1U, 2U, 4U, 5U, 6U, 7U, 9U})
    EXPECT_EQ(s.wrong_slices("l0.down", {i}), "");
  const std::uint64_t misses = s.store->stats().misses;
  EXPECT_EQ(misses, 2U + 20);
  EXPECT_EQ(s.wrong_slices("l0.down", {3, 8}), "");
  EXPECT_EQ(s.store->stats().misses, misses) << "these two were kept";
}

TEST_F(StreamingStoreTest, what_was_wanted_long_ago_gives_way_as_well) {
  const TestStore s(model_, with_slots(3));
  for (int i = 0; i < 30; ++i) EXPECT_EQ(s.wrong_slices("l0.down", {3}), "");
  // A token asks once for each of the six stacks; a use counts half after 512 of them.
  for (int i = 0; i < 6 * 512 * 6; ++i) EXPECT_EQ(s.wrong_slices("l0.gate", {1}), "");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(s.wrong_slices("l1.down", {0, 1, 2}), "");
  const std::uint64_t misses = s.store->stats().misses;
  EXPECT_EQ(s.wrong_slices("l0.down", {3}), "");
  EXPECT_EQ(s.store->stats().misses, misses + 1);
}

TEST_F(StreamingStoreTest, held_experts_stay_where_they_are) {
  const TestStore s(model_, with_slots(4));
  SliceLease held = s.begin("l0.down", {2, 9});
  ASSERT_EQ(s.wrong_slices("l0.down", held, {2, 9}), "");
  const std::byte* place = held.view()[1].data;
  for (int i = 0; i < 3; ++i) {
    for (std::uint32_t e = 0; e < kExperts; ++e)
      EXPECT_EQ(s.wrong_slices("l1.down", {e, (e + 1) % kExperts}), "");
  }
  EXPECT_EQ(s.wrong_slices("l0.down", held, {2, 9}), "");
  SliceLease again = s.begin("l0.down", {9});
  ASSERT_TRUE(again.wait());
  EXPECT_EQ(again.view()[0].data, place);
}

TEST_F(StreamingStoreTest, all_lots_of_a_layer_that_are_held_fit_at_once) {
  const Names layer = {"l0.gate", "l0.up", "l0.down"};
  // The slots of gate and up are twice as many as those of `down`.
  for (const auto& [slots, lot] : {std::pair{4U, 1U}, {8U, 2U}, {15U, 3U}}) {
    const TestStore s(model_, with_slots(slots));
    EXPECT_EQ(s.store->slices_at_once(model_.indices(layer)), lot) << slots << " slots";
    std::vector<Slices> lots;
    std::vector<SliceLease> leases;
    for (std::uint32_t first = 0; lots.size() < kLotsHeld; first += lot) {
      lots.emplace_back();
      for (std::uint32_t i = 0; i < lot; ++i) lots.back().push_back((first + i) % kExperts);
      for (const std::string& name : layer) leases.push_back(s.begin(name, lots.back()));
    }
    for (std::size_t i = 0; i < leases.size(); ++i)
      EXPECT_EQ(s.wrong_slices(layer[i % 3], leases[i], lots[i / 3]), "") << slots << " slots";
  }
}

TEST_F(StreamingStoreTest, more_held_experts_than_fit_are_an_error_and_no_wait_without_end) {
  const TestStore s(model_, with_slots(2), {}, 0.01);
  SliceLease held = s.begin("l0.down", {0, 1});
  ASSERT_EQ(s.wrong_slices("l0.down", held, {0, 1}), "");
  SliceLease more = s.begin("l0.down", {2});
  ASSERT_FALSE(more.wait());
  EXPECT_EQ(s.wrong_slices("l0.down", held, {0, 1}), "");
  held = {};
  EXPECT_EQ(s.wrong_slices("l0.down", {2}), "");
}

TEST_F(StreamingStoreTest, warming_reads_the_first_and_leaves_a_quarter_of_the_room) {
  const TestStore s(model_, with_slots(8));
  std::vector<SliceId> wanted = {{.tensor = 1000, .slice = 0},
                                 {.tensor = model_.index("norm"), .slice = 0},
                                 {.tensor = model_.index("l0.down"), .slice = kExperts}};
  for (std::uint32_t i = 0; i < 8; ++i) wanted.push_back({.tensor = model_.index("l0.down"), .slice = i});
  wanted.push_back(wanted[3]);  // and again
  s.store->warm(wanted);
  EXPECT_EQ(s.wrong_slices("l0.down", {0, 1, 2, 3, 4, 5}), "");
  EXPECT_EQ(s.store->stats().hits, 6U);
  EXPECT_EQ(s.store->stats().misses, 0U);
  EXPECT_EQ(s.wrong_slices("l0.down", {6, 7}), "");
  EXPECT_EQ(s.store->stats().misses, 2U);
}

TEST_F(StreamingStoreTest, tells_which_experts_were_wanted_most) {
  const TestStore s(model_, with_slots(1));
  EXPECT_TRUE(s.store->most_wanted().empty());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(s.wrong_slices("l1.down", {4}), "");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(s.wrong_slices("l0.up", {11}), "");
  for (const std::uint32_t i : {0U, 1U, 2U}) EXPECT_EQ(s.wrong_slices("l1.gate", {i}), "");
  // There is room for three: one slot of `down`, two of the others.
  const std::vector<SliceId> expected = {{model_.index("l0.up"), 11}, {model_.index("l1.down"), 4}};
  const std::vector<SliceId> wanted = s.store->most_wanted();
  ASSERT_EQ(wanted.size(), 3U);
  EXPECT_EQ(std::vector(wanted.begin(), wanted.begin() + 2), expected);
}

TEST_F(StreamingStoreTest, a_model_without_experts_tables_or_streamed_layers_needs_none) {
  file::Placement placement;
  for (std::size_t i = 0; i < model_.inventory().tensors().size(); ++i) placement.resident.push_back(i);
  const TestStore s(model_, placement);
  for (const file::TensorInfo& info : model_.inventory().tensors())
    EXPECT_EQ(s.wrong_tensor(std::string(info.name)), "");
  s.store->layer_done();
  EXPECT_EQ(s.store->stats().bytes_read, 0U) << "what stays in memory is not counted";
}

}  // namespace
}  // namespace cistern::store
