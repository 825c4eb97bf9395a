#include "file/extents.h"

#include <gtest/gtest.h>

namespace cistern::file {
namespace {

constexpr std::uint64_t kPage = 4096;

struct Range {
  std::size_t file;
  std::uint64_t offset, bytes;
};

// Tensors at these places of files; their bytes are never looked at.
Inventory inventory_of(const std::vector<Range>& ranges) {
  static constexpr std::string_view kNames = "abcdefgh";
  Inventory inventory;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_TRUE(inventory.insert({.name = kNames.substr(i, 1),
                                  .shape = Shape(ranges[i].bytes / 4),
                                  .file_index = ranges[i].file,
                                  .offset = ranges[i].offset,
                                  .size_bytes = ranges[i].bytes}));
  }
  return inventory;
}

Layout lay_out_all(const Inventory& inventory) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < inventory.tensors().size(); ++i) all.push_back(i);
  return lay_out(inventory, all);
}

TEST(Extents, are_the_pages_of_a_range) {
  const Extent inside = extent_of(3, 5000, 100);
  EXPECT_EQ(inside.file_index, 3U);
  EXPECT_EQ(inside.offset, kPage);
  EXPECT_EQ(inside.bytes, kPage);
  EXPECT_EQ(inside.needed_bytes, 5100 - kPage) << "the file may end there";

  const Extent whole = extent_of(0, 2 * kPage, 2 * kPage);
  EXPECT_EQ(whole.offset, 2 * kPage);
  EXPECT_EQ(whole.bytes, 2 * kPage);
  EXPECT_EQ(whole.needed_bytes, 2 * kPage);

  const Extent across = extent_of(0, kPage - 1, 2);
  EXPECT_EQ(across.offset, 0U);
  EXPECT_EQ(across.bytes, 2 * kPage);
  EXPECT_EQ(across.needed_bytes, kPage + 1);
}

TEST(Extents, have_at_most_so_many_bytes) {
  for (const std::uint64_t bytes : {1U, 2U, 100U, 4095U, 4096U, 4097U, 4098U, 8191U, 8192U, 8193U, 100000U}) {
    std::uint64_t most = 0;
    for (std::uint64_t offset = 0; offset < kPage; ++offset)
      most = std::max(most, extent_of(0, offset, bytes).bytes);
    EXPECT_EQ(largest_extent(bytes), most) << bytes;
  }
}

TEST(Layouts, join_neighbours) {
  // The first two share a page, the third begins where their pages end, the fourth lies apart.
  const Inventory inventory =
      inventory_of({{0, 100, 5000}, {0, 5120, 40}, {0, 2 * kPage, 64}, {0, 5 * kPage + 64, kPage}});
  const Layout layout = lay_out_all(inventory);
  ASSERT_EQ(layout.extents.size(), 2U);
  EXPECT_EQ(layout.extents[0].offset, 0U);
  EXPECT_EQ(layout.extents[0].bytes, 3 * kPage);
  EXPECT_EQ(layout.extents[0].needed_bytes, 2 * kPage + 64);
  EXPECT_EQ(layout.extents[0].place, 0U);
  EXPECT_EQ(layout.extents[1].offset, 5 * kPage);
  EXPECT_EQ(layout.extents[1].bytes, 2 * kPage);
  EXPECT_EQ(layout.extents[1].needed_bytes, kPage + 64);
  EXPECT_EQ(layout.extents[1].place, 3 * kPage);
  EXPECT_EQ(layout.places, (std::vector<std::uint64_t>{100, 5120, 2 * kPage, 3 * kPage + 64}));
  EXPECT_EQ(layout.bytes, 5 * kPage);
}

TEST(Layouts, are_ordered_by_file_and_offset_whatever_is_asked_for_first) {
  const Inventory inventory = inventory_of({{1, 64, 100}, {0, 3 * kPage, 100}, {0, 64, 100}, {1, 200, 100}});
  const std::vector<std::size_t> tensors = {3, 1, 0, 2};
  const Layout layout = lay_out(inventory, tensors);
  ASSERT_EQ(layout.extents.size(), 3U) << "files are not joined";
  EXPECT_EQ(layout.extents[0].file_index, 0U);
  EXPECT_EQ(layout.extents[1].offset, 3 * kPage);
  EXPECT_EQ(layout.extents[2].file_index, 1U);
  EXPECT_EQ(layout.extents[2].needed_bytes, 300U);
  EXPECT_EQ(layout.places, (std::vector<std::uint64_t>{2 * kPage + 200, kPage, 2 * kPage + 64, 64}));
  EXPECT_EQ(layout.bytes, 3 * kPage);
}

TEST(Layouts, of_nothing_are_empty) {
  const Layout layout = lay_out(inventory_of({{0, 0, 100}}), {});
  EXPECT_TRUE(layout.extents.empty());
  EXPECT_EQ(layout.bytes, 0U);
}

}  // namespace
}  // namespace cistern::file
