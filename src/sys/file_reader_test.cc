#include "sys/file_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/rng.h"
#include "support/temp_dir.h"
#include "sys/buffer.h"

namespace cistern::sys {
namespace {

using testing::TempDir;

constexpr double kForever = std::numeric_limits<double>::infinity();

std::string random_text(std::size_t bytes) {
  Rng rng(bytes);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(rng.next());
  return text;
}

TEST(ThreadReader, ReadsAFile) {
  const TempDir dir;
  const std::string text = random_text((3U << 20U) + 5000);
  const std::vector<std::string> paths = {dir.write("f", text).string()};
  auto reader = make_file_reader(paths);
  ASSERT_TRUE(reader) << describe(reader.error());
  auto buffer = Buffer::allocate(4U << 20U);
  ASSERT_TRUE(buffer);
  (*reader)->submit({.into = buffer->bytes(), .needed_bytes = text.size(), .tag = 7}, ReadPriority::kDemand);
  const auto done = (*reader)->next(kForever);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->tag, 7U);
  EXPECT_FALSE(done->error);
  EXPECT_TRUE(std::ranges::equal(buffer->bytes().first(text.size()), std::as_bytes(std::span(text))));
  EXPECT_EQ((*reader)->unfinished(), 0U);
}

}  // namespace
}  // namespace cistern::sys
