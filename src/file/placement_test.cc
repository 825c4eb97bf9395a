#include "file/placement.h"

#include <gtest/gtest.h>

namespace cistern::file {
namespace {

constexpr std::uint64_t kPage = 4096;

// Two layers of 8 experts: matrices of 8192 bytes for gate and up, of 10000 for down; a table of 100-byte
// rows.
class SlotClasses : public ::testing::Test {
 protected:
  SlotClasses() {
    add("0.gate", Shape(512, 4, 8));
    add("0.down", Shape(625, 4, 8));
    add("0.up", Shape(512, 4, 8));
    add("1.gate", Shape(512, 4, 8));
    add("1.down", Shape(625, 4, 8));
    add("1.up", Shape(512, 4, 8));
    add("table", Shape(25, 400));
    add("wide", Shape(2000, 10));
    for (std::size_t i = 0; i < 6; ++i)
      placement_.cached.push_back({.tensor = i, .slice_rows = 4, .used = 2});
  }

  void add(std::string_view name, const Shape& shape) {
    EXPECT_TRUE(inventory_.insert({.name = name, .shape = shape, .size_bytes = shape.elements() * 4}));
  }

  Inventory inventory_;
  Placement placement_;
};

TEST_F(SlotClasses, are_of_slices_of_one_size) {
  placement_.cache_bytes = 1U << 30U;
  const std::vector<SlotClass> classes = slot_classes(inventory_, placement_);
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_EQ(classes[0].slice_bytes, 8192U);
  EXPECT_EQ(classes[0].slot_bytes, 3 * kPage) << "wherever in a page it begins";
  EXPECT_EQ(classes[0].n_slices, 4U * 8);
  EXPECT_EQ(classes[0].n_slots, 4U * 8) << "no more than there are slices";
  EXPECT_EQ(classes[0].stacks, (std::vector<std::size_t>{0, 2, 3, 5}));
  EXPECT_EQ(classes[1].slice_bytes, 10000U);
  EXPECT_EQ(classes[1].slot_bytes, 4 * kPage);
  EXPECT_EQ(classes[1].n_slots, 2U * 8);
  EXPECT_EQ(all_slots_bytes(classes), 32 * 3 * kPage + 16 * 4 * kPage);
  EXPECT_EQ(slices_of(inventory_, placement_.cached[1]), 8U);
}

TEST_F(SlotClasses, get_the_same_part_of_what_they_would_fill) {
  constexpr std::uint64_t kAll = 32 * 3 * kPage + 16 * 4 * kPage;
  for (std::uint64_t bytes = 0; bytes <= kAll; bytes += 1000) {
    placement_.cache_bytes = bytes;
    const std::vector<SlotClass> classes = slot_classes(inventory_, placement_);
    EXPECT_EQ(classes[0].n_slots, 32 * bytes / kAll);
    EXPECT_EQ(classes[1].n_slots, 16 * bytes / kAll);
    EXPECT_LE(classes[0].n_slots * classes[0].slot_bytes + classes[1].n_slots * classes[1].slot_bytes, bytes);
  }
  placement_.cache_bytes = kAll;
  EXPECT_EQ(slot_classes(inventory_, placement_)[0].n_slots, 32U);
}

TEST_F(SlotClasses, are_none_without_stacks) {
  placement_.cached.clear();
  EXPECT_TRUE(slot_classes(inventory_, placement_).empty());
}

TEST_F(SlotClasses, rows_that_are_looked_up_have_room_for_the_largest) {
  EXPECT_EQ(lookup_bytes(inventory_, placement_), 0U);
  placement_.lookup_tokens = 5;
  placement_.looked_up = {6};
  EXPECT_EQ(lookup_bytes(inventory_, placement_), 5 * 2 * kPage);
  placement_.looked_up = {6, 7};  // rows of 8000 bytes
  EXPECT_EQ(lookup_bytes(inventory_, placement_), 5 * 3 * kPage);
}

}  // namespace
}  // namespace cistern::file
