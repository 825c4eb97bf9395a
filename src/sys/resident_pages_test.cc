#include "sys/resident_pages.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/temp_dir.h"
#include "sys/mapped_file.h"

namespace cistern::sys {
namespace {

TEST(ResidentPages, a_file_that_was_just_written_is_in_memory) {
  const testing::TempDir folder;
  const std::string path = folder.write("file", std::vector<std::byte>(1U << 20U, std::byte{1}));
  const auto file = MappedFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_GT(resident_share(file->bytes()), 0.9);
}

TEST(ResidentPages, nothing_is_all_there) {
  EXPECT_EQ(resident_share({}), 1);
}

}  // namespace
}  // namespace cistern::sys
