#include "sys/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_dir.h"
#include "sys/sigbus_guard.h"

namespace cistern::sys {
namespace {

using testing::TempDir;

constexpr std::size_t kMiB = std::size_t{1} << 20U;

// Through a volatile pointer: the read happens, whatever the optimizer thinks of mapped memory.
int read_at(std::span<const std::byte> bytes, std::size_t offset) {
  return static_cast<int>(*static_cast<const volatile std::byte*>(bytes.data() + offset));
}

TEST(MappedFile, HasTheBytesOfTheFile) {
  const TempDir dir;
  const auto path = dir.write("f", std::string_view("hello"));
  const auto file = MappedFile::open(path.string());
  ASSERT_TRUE(file) << describe(file.error());
  ASSERT_EQ(file->bytes().size(), 5U);
  EXPECT_EQ(read_at(file->bytes(), 4), 'o');
  EXPECT_EQ(file->path(), path.string());
  EXPECT_TRUE(file->check_intact());
}

TEST(MappedFile, AnEmptyFileIsEmpty) {
  const TempDir dir;
  const auto file = MappedFile::open(dir.write("f", std::string_view()).string());
  ASSERT_TRUE(file) << describe(file.error());
  EXPECT_TRUE(file->bytes().empty());
  EXPECT_TRUE(file->check_intact());
}

TEST(MappedFile, Borrowed) {
  const std::vector<std::byte> bytes(3, std::byte{7});
  const MappedFile file = MappedFile::borrow(bytes, "embedded");
  EXPECT_EQ(file.bytes().data(), bytes.data());
  EXPECT_EQ(file.path(), "embedded");
  EXPECT_TRUE(file.check_intact());
}

TEST(MappedFile, MovesKeepTheMapping) {
  const TempDir dir;
  auto first = MappedFile::open(dir.write("f", std::string_view("hello")).string());
  ASSERT_TRUE(first);
  const auto* data = first->bytes().data();
  MappedFile second = std::move(*first);
  EXPECT_EQ(second.bytes().data(), data);
  auto other = MappedFile::open(dir.write("g", std::string_view("other")).string());
  ASSERT_TRUE(other);
  second = std::move(*other);
  EXPECT_EQ(read_at(second.bytes(), 1), 't');
}

TEST(MappedFile, WhatIsNoRegularFileIsRefused) {
  const TempDir dir;
  const auto expect = [](const std::string& path, ErrorCode code, std::string_view text) {
    const auto file = MappedFile::open(path);
    ASSERT_FALSE(file) << path;
    EXPECT_EQ(file.error().code, code) << describe(file.error());
    EXPECT_EQ(file.error().where, path);
    EXPECT_NE(file.error().message.find(text), std::string::npos) << file.error().message;
  };
  expect((dir.path() / "missing").string(), ErrorCode::kNotFound, "no such file");
  expect((dir.write("f", std::string_view("x")) / "below").string(), ErrorCode::kNotFound, "no such file");
  expect(dir.path().string(), ErrorCode::kIo, "a directory");
  expect("/dev/null", ErrorCode::kIo, "a device");
  const std::string fifo = (dir.path() / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  expect(fifo, ErrorCode::kIo, "a FIFO");  // and does not wait for a writer
  if (geteuid() != 0) {
    const auto secret = dir.write("secret", std::string_view("x"));
    chmod(secret.c_str(), 0);
    expect(secret.string(), ErrorCode::kIo, "Permission denied");
  }
}

TEST(MappedFile, ATruncatedFileReadsAsZeros) {
  const TempDir dir;
  const auto path = dir.write("f", std::string(kMiB, 'x'));
  const auto file = MappedFile::open(path.string());
  ASSERT_TRUE(file) << describe(file.error());
  ASSERT_EQ(read_at(file->bytes(), kMiB - 1), 'x');
  std::filesystem::resize_file(path, kMiB / 2);
  EXPECT_EQ(read_at(file->bytes(), kMiB - 1), 0);
  EXPECT_EQ(read_at(file->bytes(), kMiB / 2), 0);
  EXPECT_EQ(read_at(file->bytes(), kMiB / 2 - 1), 'x');
  const auto intact = file->check_intact();
  ASSERT_FALSE(intact);
  EXPECT_EQ(intact.error().code, ErrorCode::kIo);
  EXPECT_EQ(intact.error().where, path.string() + ": byte " + std::to_string(kMiB / 2));
}

TEST(MappedFile, ManyThreadsMayHitTheDamage) {
  const TempDir dir;
  const auto path = dir.write("f", std::string(kMiB, 'x'));
  const auto file = MappedFile::open(path.string());
  ASSERT_TRUE(file) << describe(file.error());
  std::filesystem::resize_file(path, 0);
  // Pages of their own: TSan takes the mmap in the handler for a write by the program.
  constexpr std::size_t kPage = 4096;
  std::vector<std::thread> threads;
  std::vector<int> sums(4, -1);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([&, t] {
      int sum = 0;
      for (std::size_t i = t * kPage; i < kMiB; i += sums.size() * kPage) sum += read_at(file->bytes(), i);
      sums[t] = sum;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sums, std::vector<int>(4, 0));
  const auto intact = file->check_intact();
  ASSERT_FALSE(intact);
  EXPECT_EQ(intact.error().where, path.string() + ": byte 0");
}

TEST(MappedFile, ChangesAreNoticedWithoutReading) {
  const TempDir dir;
  const auto path = dir.write("f", std::string(kMiB, 'x'));
  const auto file = MappedFile::open(path.string());
  ASSERT_TRUE(file) << describe(file.error());
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(10));
  ASSERT_FALSE(file->check_intact());
  EXPECT_NE(file->check_intact().error().message.find("changed"), std::string::npos);
  std::filesystem::resize_file(path, 5);
  ASSERT_FALSE(file->check_intact());
  EXPECT_NE(file->check_intact().error().message.find("shrank"), std::string::npos);
}

TEST(MappedFile, AReplacedFileStaysAsItWas) {
  const TempDir dir;
  const auto path = dir.write("f", std::string_view("old"));
  const auto file = MappedFile::open(path.string());
  ASSERT_TRUE(file) << describe(file.error());
  std::filesystem::rename(dir.write("g", std::string_view("n")), path);
  EXPECT_EQ(read_at(file->bytes(), 2), 'd');
  EXPECT_TRUE(file->check_intact());
}

TEST(MappedFile, OthersAreUnharmedByADamagedOne) {
  const TempDir dir;
  const auto bad_path = dir.write("bad", std::string(kMiB, 'x'));
  const auto good = MappedFile::open(dir.write("good", std::string(kMiB, 'y')).string());
  const auto bad = MappedFile::open(bad_path.string());
  ASSERT_TRUE(good && bad);
  std::filesystem::resize_file(bad_path, 0);
  EXPECT_EQ(read_at(bad->bytes(), 0), 0);
  EXPECT_FALSE(bad->check_intact());
  EXPECT_TRUE(good->check_intact());
  EXPECT_EQ(read_at(good->bytes(), kMiB - 1), 'y');
}

TEST(GuardedRange, TheTableIsBounded) {
  static const std::vector<std::byte> memory(GuardedRange::kMaxRanges + 1);
  std::vector<GuardedRange> ranges;
  while (auto range = GuardedRange::watch(memory.data() + ranges.size(), 1))
    ranges.push_back(std::move(*range));
  EXPECT_LE(ranges.size(), GuardedRange::kMaxRanges);
  EXPECT_GT(ranges.size(), 1000U);
  const TempDir dir;
  const auto path = dir.write("f", std::string_view("hello")).string();
  const auto refused = MappedFile::open(path);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("files mapped at once"), std::string::npos);
  ranges.pop_back();
  EXPECT_TRUE(MappedFile::open(path));
}

// Faults outside our mappings still end the process as they did without us.
TEST(GuardedRangeDeathTest, ForeignFaultsGoOn) {
  const TempDir dir;
  const auto path = dir.write("f", std::string(kMiB, 'x'));
  const auto file = MappedFile::open(path.string());  // installs the handler
  ASSERT_TRUE(file);
  EXPECT_DEATH(raise(SIGBUS), "");
  const auto fault = [&] {
    const int fd = ::open(path.c_str(), O_RDWR);
    const void* foreign = mmap(nullptr, kMiB, PROT_READ, MAP_SHARED, fd, 0);
    if (ftruncate(fd, 0) != 0) return 0;
    return static_cast<int>(*static_cast<const volatile std::byte*>(foreign));
  };
  EXPECT_DEATH(fault(), "");
}

}  // namespace
}  // namespace cistern::sys
