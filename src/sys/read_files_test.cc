#include "sys/read_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_dir.h"
#include "sys/buffer.h"

namespace cistern::sys {
namespace {

using testing::TempDir;

constexpr std::uint64_t kPage = kReadAlignment;

// Files that are read by nobody: what reads of them gave is made up.
class ReadFilesTest : public ::testing::Test {
 protected:
  ReadFiles open() { return std::move(*ReadFiles::open(paths_)); }
  ReadPiece piece(std::uint64_t pages, std::uint64_t needed) {
    return {
        .file = 0, .offset = 7 * kPage, .into = memory_.bytes().first(pages * kPage), .needed_bytes = needed};
  }

  const TempDir dir_;
  const std::vector<std::string> paths_ = {dir_.write("data", std::string(100, 'x')).string()};
  Buffer memory_ = *Buffer::allocate(10 * kPage);
};

TEST_F(ReadFilesTest, ShortReadsAreContinuedAtABlock) {
  ReadFiles files = open();
  ReadPiece p = piece(10, 9 * kPage + 1);
  EXPECT_FALSE(files.take_result(p, 3 * kPage));
  EXPECT_EQ(files.next_read(p).offset, 10 * kPage);
  EXPECT_EQ(files.next_read(p).memory, p.into.data() + 3 * kPage);
  EXPECT_EQ(files.next_read(p).bytes, 7 * kPage);
  EXPECT_FALSE(files.take_result(p, kPage + 512));
  EXPECT_EQ(files.next_read(p).offset, 11 * kPage);
  EXPECT_EQ(files.next_read(p).bytes, 6 * kPage);
  EXPECT_FALSE(files.take_result(p, 5 * kPage));
  EXPECT_TRUE(files.take_result(p, 1));
  EXPECT_FALSE(p.error);
}

TEST_F(ReadFilesTest, InterruptedReadsAreRepeated) {
  ReadFiles files = open();
  ReadPiece p = piece(2, 2 * kPage);
  for (const int number : {EINTR, EAGAIN}) {
    EXPECT_FALSE(files.take_result(p, -number));
    EXPECT_EQ(files.next_read(p).bytes, 2 * kPage);
  }
  EXPECT_TRUE(files.take_result(p, 2 * kPage));
  EXPECT_FALSE(p.error);
}

TEST_F(ReadFilesTest, TheEndBeforeWhatIsNeededIsAnError) {
  ReadFiles files = open();
  for (const std::uint64_t last : {std::uint64_t{0}, std::uint64_t{300}}) {
    ReadPiece p = piece(4, 3 * kPage);
    EXPECT_FALSE(files.take_result(p, kPage + last));
    EXPECT_TRUE(files.take_result(p, last));  // no more than before
    ASSERT_TRUE(p.error);
    EXPECT_EQ(p.error->code, ErrorCode::kIo);
    const std::string end = std::to_string(8 * kPage + last);
    EXPECT_EQ(p.error->where, paths_[0] + ": byte " + end);
    EXPECT_EQ(p.error->message, "the file ends at byte " + end + ", before byte " +
                                    std::to_string(10 * kPage) +
                                    " that is needed: it is damaged, or was truncated while in use");
  }
}

TEST_F(ReadFilesTest, TheEndBehindWhatIsNeededIsNone) {
  ReadFiles files = open();
  ReadPiece exact = piece(4, kPage + 5);
  EXPECT_TRUE(files.take_result(exact, kPage + 5));
  EXPECT_FALSE(exact.error);
  ReadPiece nothing = piece(4, 0);
  EXPECT_TRUE(files.take_result(nothing, 0));
  EXPECT_FALSE(nothing.error);
}

TEST_F(ReadFilesTest, AnErrorOfTheDiskNamesFileAndByte) {
  ReadFiles files = open();
  ReadPiece p = piece(4, 4 * kPage);
  EXPECT_FALSE(files.take_result(p, kPage));
  EXPECT_TRUE(files.take_result(p, -EIO));
  ASSERT_TRUE(p.error);
  EXPECT_EQ(p.error->code, ErrorCode::kIo);
  EXPECT_EQ(p.error->where, paths_[0] + ": byte " + std::to_string(8 * kPage));
}

TEST_F(ReadFilesTest, AFileSystemThatRefusesDirectReadsIsReadThroughThePageCache) {
  ReadFiles files = open();
  if (!files.direct()) GTEST_SKIP() << "no direct reads in the folder of temporary files";
  EXPECT_EQ(files.describe(), "past the page cache");
  ReadPiece first = piece(2, 2 * kPage);
  ReadPiece second = first;
  files.next_read(first);
  files.next_read(second);  // both begun before anybody knows
  EXPECT_FALSE(files.take_result(first, -EINVAL));
  EXPECT_FALSE(files.take_result(second, -EINVAL));
  EXPECT_FALSE(files.direct());
  EXPECT_EQ(files.describe(), "1 of 1 files through the page cache (no direct reads: " + paths_[0] + ")");
  files.next_read(first);
  EXPECT_TRUE(files.take_result(first, -EINVAL)) << "the second time it is an error";
  EXPECT_TRUE(first.error);
}

TEST_F(ReadFilesTest, NoticesChangedFiles) {
  const ReadFiles files = open();
  EXPECT_TRUE(files.check_unchanged());
  const auto time = std::filesystem::last_write_time(paths_[0]);
  std::filesystem::last_write_time(paths_[0], time + std::chrono::milliseconds(10));
  ASSERT_FALSE(files.check_unchanged());
  EXPECT_EQ(files.check_unchanged().error().code, ErrorCode::kIo);
  EXPECT_EQ(files.check_unchanged().error().where, paths_[0]);
  std::filesystem::last_write_time(paths_[0], time);
  EXPECT_TRUE(files.check_unchanged());
  std::filesystem::resize_file(paths_[0], 50);
  std::filesystem::last_write_time(paths_[0], time);
  ASSERT_FALSE(files.check_unchanged());
  EXPECT_EQ(files.check_unchanged().error().message,
            "the file had 100 bytes and has 50, changed while in use: load it again");
}

TEST_F(ReadFilesTest, AReplacedFileIsReadAsItWas) {
  const ReadFiles files = open();
  std::filesystem::rename(dir_.write("other", "new"), paths_[0]);
  EXPECT_TRUE(files.check_unchanged());
}

TEST_F(ReadFilesTest, WhatCannotBeOpened) {
  const std::string missing = (dir_.path() / "missing").string();
  const auto error_of = [](const std::string& path) {
    auto files = ReadFiles::open({&path, 1});
    EXPECT_FALSE(files);
    return files ? Error{} : files.error();
  };
  EXPECT_EQ(error_of(missing).code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of(missing).where, missing);
  EXPECT_EQ(error_of(dir_.path().string()).message, "not a regular file");
  const std::string fifo = (dir_.path() / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_of(fifo).message, "not a regular file");
}

}  // namespace
}  // namespace cistern::sys
