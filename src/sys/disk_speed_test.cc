#include "sys/disk_speed.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temp_dir.h"

namespace cistern::sys {
namespace {

using testing::TempDir;

TEST(DiskSpeed, ReadsAFileOfAnyLength) {
  const TempDir dir;
  for (const std::size_t bytes : {1U, 4096U, 5000U, 3U << 20U}) {
    const auto path = dir.write("data", std::string(bytes, 'x'));
    const auto speed = measure_disk(path.string(), {});
    ASSERT_TRUE(speed) << speed.error().message;
    EXPECT_GT(speed->bytes_per_s, 0);
    EXPECT_GT(speed->latency_s, 0);
  }
}

TEST(DiskSpeed, ReadsSomethingInNoTime) {
  const TempDir dir;
  const auto speed =
      measure_disk(dir.write("data", std::string(3U << 20U, 'x')).string(), {.max_seconds = 0});
  ASSERT_TRUE(speed) << speed.error().message;
  EXPECT_GT(speed->bytes_per_s, 0);
}

TEST(DiskSpeed, LeavesNothingInTheFolder) {
  const TempDir dir;
  const auto speed = measure_disk_of_folder(dir.path().string(), 1U << 20U, {});
  ASSERT_TRUE(speed) << speed.error().message;
  EXPECT_GT(speed->bytes_per_s, 0);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(DiskSpeed, ErrorsNameTheFile) {
  const TempDir dir;
  const std::string missing = (dir.path() / "missing").string();
  EXPECT_EQ(measure_disk(missing, {}).error().code, ErrorCode::kIo);
  EXPECT_EQ(measure_disk(missing, {}).error().where, missing);
  EXPECT_EQ(measure_disk(dir.write("empty", "").string(), {}).error().code, ErrorCode::kUsage);
  EXPECT_FALSE(measure_disk(dir.path().string(), {}));
  EXPECT_EQ(measure_disk_of_folder(missing, 1024, {}).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace cistern::sys
