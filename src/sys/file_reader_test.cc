#include "sys/file_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/rng.h"
#include "support/faulty_reader.h"
#include "support/temp_dir.h"
#include "sys/buffer.h"
#include "sys/read_queue.h"

namespace cistern::sys {
namespace {

using testing::FaultyReader;
using testing::ReadFault;
using testing::TempDir;
using Kind = testing::ReadFault::Kind;

constexpr double kForever = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kPage = kReadAlignment;
constexpr std::uint64_t kPiece = kReadPieceBytes;

std::string random_text(std::size_t bytes) {
  Rng rng(bytes);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(rng.next());
  return text;
}

std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

// All completions, by tag; fails the test if one is missing at the end.
std::map<std::uint64_t, std::optional<Error>> finish_all(FileReader& reader) {
  std::map<std::uint64_t, std::optional<Error>> completions;
  while (auto completion = reader.next(kForever)) {
    EXPECT_TRUE(completions.emplace(completion->tag, completion->error).second) << "twice";
  }
  EXPECT_EQ(reader.unfinished(), 0U);
  return completions;
}

using Make = std::function<Result<std::unique_ptr<FileReader>>(std::span<const std::string>)>;

struct Way {
  std::string name;
  Make make;
};

class FileReaderTest : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    const auto reader = GetParam().make({});
    if (!reader && reader.error().code == ErrorCode::kUnsupported) GTEST_SKIP() << reader.error().message;
  }
  static std::unique_ptr<FileReader> make(std::span<const std::string> paths) {
    auto reader = GetParam().make(paths);
    CISTERN_CHECK(reader.has_value());
    return std::move(*reader);
  }
  std::string write(const std::string& name, const std::string& text) {
    return dir_.write(name, text).string();
  }

  const TempDir dir_;
};

TEST_P(FileReaderTest, ReadsAnyPartOfAnyFile) {
  std::vector<std::string> texts;
  std::vector<std::string> paths;
  for (const std::uint64_t bytes : {std::uint64_t{1}, kPage, kPage + 1, kPiece, 3 * kPiece + 12345}) {
    texts.push_back(random_text(bytes));
    paths.push_back(write("f" + std::to_string(bytes), texts.back()));
  }
  Rng rng(1);
  constexpr std::uint64_t kRequests = 200;
  constexpr std::uint64_t kLongest = 2 * kPiece + 3 * kPage;
  auto memory = Buffer::allocate(kRequests * kLongest);
  ASSERT_TRUE(memory);
  const auto reader = make(paths);
  std::vector<ReadRequest> requests;
  for (std::uint64_t tag = 0; tag < kRequests; ++tag) {
    const auto file = static_cast<std::uint32_t>(rng.next() % texts.size());
    const std::uint64_t size = texts[file].size();
    const std::uint64_t offset = rng.next() % size / kPage * kPage;
    const std::uint64_t most = std::min(kLongest, size - offset);
    const std::uint64_t needed = rng.next() % 4 == 0 ? most : 1 + rng.next() % most;
    requests.push_back({.file = file,
                        .offset = offset,
                        .into = memory->bytes().subspan(tag * kLongest, whole_pages(needed)),
                        .needed_bytes = needed,
                        .tag = tag});
    reader->submit(requests.back(), rng.next() % 2 == 0 ? ReadPriority::kDemand : ReadPriority::kBackground);
  }
  const auto completions = finish_all(*reader);
  EXPECT_EQ(completions.size(), kRequests);
  for (const auto& [tag, error] : completions) {
    const ReadRequest& request = requests[tag];
    ASSERT_FALSE(error) << describe(*error);
    const auto expected =
        std::as_bytes(std::span(texts[request.file])).subspan(request.offset, request.needed_bytes);
    ASSERT_TRUE(std::ranges::equal(request.into.first(request.needed_bytes), expected)) << tag;
  }
  EXPECT_TRUE(reader->check_unchanged());
}

TEST_P(FileReaderTest, IntoMayReachFarBeyondTheEnd) {
  const std::string text = random_text(kPage + 100);
  const std::vector<std::string> paths = {write("f", text)};
  auto memory = Buffer::allocate(3 * kPiece);
  ASSERT_TRUE(memory);
  const auto reader = make(paths);
  reader->submit({.into = memory->bytes(), .needed_bytes = text.size()}, ReadPriority::kDemand);
  const auto completion = reader->next(kForever);
  ASSERT_TRUE(completion);
  EXPECT_FALSE(completion->error);
  EXPECT_TRUE(std::ranges::equal(memory->bytes().first(text.size()), std::as_bytes(std::span(text))));
}

TEST_P(FileReaderTest, ManySmallRequests) {
  constexpr std::uint64_t kPages = 600;  // more than are in flight at once
  const std::string text = random_text(kPages * kPage);
  const std::vector<std::string> paths = {write("f", text)};
  auto memory = Buffer::allocate(text.size());
  ASSERT_TRUE(memory);
  const auto reader = make(paths);
  for (int round = 0; round < 3; ++round) {
    std::ranges::fill(memory->bytes(), std::byte{0});
    for (std::uint64_t page = 0; page < kPages; ++page) {
      const std::uint64_t offset = page * kPage;
      reader->submit({.offset = offset,
                      .into = memory->bytes().subspan(offset, kPage),
                      .needed_bytes = kPage,
                      .tag = page},
                     ReadPriority::kDemand);
    }
    EXPECT_EQ(finish_all(*reader).size(), kPages);
    EXPECT_TRUE(std::ranges::equal(memory->bytes(), std::as_bytes(std::span(text))));
  }
}

TEST_P(FileReaderTest, BackgroundAloneIsReadToo) {
  const std::string text = random_text(5 * kPiece);
  const std::vector<std::string> paths = {write("f", text)};
  auto memory = Buffer::allocate(text.size());
  ASSERT_TRUE(memory);
  const auto reader = make(paths);
  reader->submit({.into = memory->bytes(), .needed_bytes = text.size()}, ReadPriority::kBackground);
  EXPECT_EQ(finish_all(*reader).size(), 1U);
  EXPECT_TRUE(std::ranges::equal(memory->bytes(), std::as_bytes(std::span(text))));
}

TEST_P(FileReaderTest, LookingGivesWhatIsThere) {
  const std::vector<std::string> paths = {write("f", random_text(kPage))};
  auto memory = Buffer::allocate(kPage);
  ASSERT_TRUE(memory);
  const auto reader = make(paths);
  EXPECT_FALSE(reader->next(0));
  EXPECT_FALSE(reader->next(kForever)) << "nothing was submitted";
  reader->submit({.into = memory->bytes(), .needed_bytes = kPage, .tag = 5}, ReadPriority::kDemand);
  EXPECT_EQ(reader->unfinished(), 1U);
  std::optional<ReadCompletion> completion;
  while (!completion) completion = reader->next(0);
  EXPECT_EQ(completion->tag, 5U);
  EXPECT_EQ(reader->unfinished(), 0U);
  EXPECT_FALSE(reader->next(0));
}

TEST_P(FileReaderTest, ATruncatedFileIsAnErrorOfItsRequests) {
  const std::vector<std::string> paths = {write("f", random_text(4 * kPiece)),
                                          write("g", random_text(kPage))};
  auto memory = Buffer::allocate(5 * kPiece);
  ASSERT_TRUE(memory);
  const auto reader = make(paths);
  std::filesystem::resize_file(paths[0], 2 * kPiece + 100);
  const auto submit = [&](std::uint64_t tag, std::uint32_t file, std::uint64_t offset, std::uint64_t bytes) {
    reader->submit({.file = file,
                    .offset = offset,
                    .into = memory->bytes().subspan(tag * kPiece, whole_pages(bytes)),
                    .needed_bytes = bytes,
                    .tag = tag},
                   ReadPriority::kDemand);
  };
  submit(0, 0, 0, kPiece);
  submit(1, 0, 2 * kPiece, kPiece);
  submit(2, 0, 3 * kPiece, kPiece);
  submit(3, 1, 0, kPage);
  submit(4, 0, 2 * kPiece, 100);
  const auto completions = finish_all(*reader);
  ASSERT_EQ(completions.size(), 5U);
  for (const std::uint64_t good : {0, 3, 4}) EXPECT_FALSE(completions.at(good)) << good;
  const std::string end = std::to_string(2 * kPiece + 100);
  ASSERT_TRUE(completions.at(1));
  EXPECT_EQ(completions.at(1)->code, ErrorCode::kIo);
  EXPECT_EQ(completions.at(1)->where, paths[0] + ": byte " + end);
  EXPECT_NE(completions.at(1)->message.find("ends at byte " + end), std::string::npos);
  ASSERT_TRUE(completions.at(2));
  EXPECT_EQ(completions.at(2)->where, paths[0] + ": byte " + std::to_string(3 * kPiece));
  const auto changed = reader->check_unchanged();
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().where, paths[0]);
}

TEST_P(FileReaderTest, MayBeDestroyedWithRequestsInFlight) {
  const std::string text = random_text(8 * kPiece);
  const std::vector<std::string> paths = {write("f", text)};
  for (int round = 0; round < 5; ++round) {
    auto memory = Buffer::allocate(12 * text.size());
    ASSERT_TRUE(memory);
    const auto reader = make(paths);
    for (std::uint64_t i = 0; i < 12; ++i) {
      reader->submit(
          {.into = memory->bytes().subspan(i * text.size(), text.size()), .needed_bytes = text.size()},
          i % 2 == 0 ? ReadPriority::kDemand : ReadPriority::kBackground);
    }
    if (round > 0) reader->next(kForever);
  }
}

TEST_P(FileReaderTest, ReadsAFileSystemWithoutDirectReads) {
  if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "no tmpfs";
  const std::string text = random_text(2 * kPiece + 77);
  const std::vector<std::string> paths = {"/dev/shm/" + dir_.path().filename().string()};
  std::filesystem::copy_file(write("f", text), paths[0], std::filesystem::copy_options::overwrite_existing);
  auto memory = Buffer::allocate(whole_pages(text.size()));
  ASSERT_TRUE(memory);
  const auto reader = make(paths);
  std::filesystem::remove(paths[0]);
  reader->submit({.into = memory->bytes(), .needed_bytes = text.size()}, ReadPriority::kDemand);
  EXPECT_FALSE(finish_all(*reader).at(0));
  EXPECT_TRUE(std::ranges::equal(memory->bytes().first(text.size()), std::as_bytes(std::span(text))));
  EXPECT_FALSE(reader->direct());
  EXPECT_NE(reader->describe().find("through the page cache"), std::string::npos) << reader->describe();
}

TEST_P(FileReaderTest, AMissingFileIsNamed) {
  const std::vector<std::string> paths = {write("f", "x"), (dir_.path() / "missing").string()};
  const auto reader = GetParam().make(paths);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reader.error().where, paths[1]);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, FileReaderTest,
    ::testing::Values(Way{"uring", make_uring_reader},
                      Way{"threads", [](auto paths) { return make_thread_reader(paths); }},
                      Way{"one_thread", [](auto paths) { return make_thread_reader(paths, 1); }},
                      Way{"no_threads", [](auto paths) { return make_thread_reader(paths, 0); }},
                      Way{"best", make_file_reader}),
    [](const auto& way) { return way.param.name; });

TEST(FileReader, SaysHowItReads) {
  const TempDir dir;
  const std::vector<std::string> paths = {dir.write("f", "x").string()};
  const auto threads = make_thread_reader(paths, 3, "no io_uring: Operation not permitted");
  ASSERT_TRUE(threads);
  EXPECT_TRUE((*threads)->describe().starts_with("3 threads (no io_uring: Operation not permitted), "));
  const auto none = make_thread_reader(paths, 0);
  ASSERT_TRUE(none);
  EXPECT_TRUE((*none)->describe().starts_with("one read at a time, "));
  const auto best = make_file_reader(paths);
  ASSERT_TRUE(best);
  const bool uring = make_uring_reader(paths).has_value();
  EXPECT_EQ((*best)->describe().starts_with("io_uring, "), uring) << (*best)->describe();
}

// Without threads nothing is read before next(), so the order is certain.
TEST(FileReader, DemandIsNotDelayedByBackground) {
  const TempDir dir;
  const std::vector<std::string> paths = {dir.write("f", random_text(kPiece)).string()};
  auto memory = Buffer::allocate(4 * kPiece);
  ASSERT_TRUE(memory);
  auto reader = make_thread_reader(paths, 0);
  ASSERT_TRUE(reader);
  const auto submit = [&](std::uint64_t tag, ReadPriority priority) {
    (*reader)->submit(
        {.into = memory->bytes().subspan(tag * kPiece, kPiece), .needed_bytes = kPiece, .tag = tag},
        priority);
  };
  submit(0, ReadPriority::kBackground);
  submit(1, ReadPriority::kBackground);
  submit(2, ReadPriority::kDemand);
  EXPECT_EQ((*reader)->next(kForever)->tag, 2U);
  EXPECT_EQ((*reader)->next(kForever)->tag, 0U);
  submit(3, ReadPriority::kDemand);
  EXPECT_EQ((*reader)->next(kForever)->tag, 3U);
  EXPECT_EQ((*reader)->next(kForever)->tag, 1U);
}

// The double that the tests of the streaming store use.
class FaultyReaderTest : public ::testing::Test {
 protected:
  FaultyReader with(std::vector<ReadFault> faults) {
    return {std::move(*make_thread_reader(paths_, 0)), std::move(faults)};
  }
  void submit(FileReader& reader, std::uint64_t page) {
    reader.submit({.offset = page * kPage,
                   .into = memory_.bytes().subspan(page * kPage, kPage),
                   .needed_bytes = kPage,
                   .tag = 100 + page},
                  ReadPriority::kDemand);
  }

  const TempDir dir_;
  const std::vector<std::string> paths_ = {dir_.write("f", std::string(8 * kPage, 'x')).string()};
  Buffer memory_ = *Buffer::allocate(8 * kPage);
};

TEST_F(FaultyReaderTest, FailsTheRequestsThatAreNamed) {
  FaultyReader reader = with({{.kind = Kind::kIoError, .begin = 2 * kPage, .end = 3 * kPage},
                              {.kind = Kind::kEarlyEnd, .file = 0, .skip = 4, .count = 1},
                              {.kind = Kind::kIoError, .file = 1}});
  for (std::uint64_t page = 0; page < 8; ++page) submit(reader, page);
  const auto completions = finish_all(reader);
  EXPECT_EQ(completions.size(), 8U);
  for (const auto& [tag, error] : completions) EXPECT_EQ(error.has_value(), tag == 102 || tag == 104) << tag;
  EXPECT_NE(completions.at(104)->message.find("ends at byte " + std::to_string(4 * kPage + kPage / 2)),
            std::string::npos);
  EXPECT_EQ(reader.hits(), 2U);
  EXPECT_EQ(memory_.bytes()[kPage], std::byte{'x'});
  EXPECT_NE(memory_.bytes()[2 * kPage], std::byte{'x'});
}

TEST_F(FaultyReaderTest, HoldsCompletionsBack) {
  FaultyReader reader = with({{.kind = Kind::kDelay, .end = 1, .calls = 2},
                              {.kind = Kind::kStall, .begin = kPage, .end = kPage + 1}});
  for (std::uint64_t page = 0; page < 5; ++page) submit(reader, page);
  std::vector<std::uint64_t> order;
  while (const auto completion = reader.next(kForever)) order.push_back(completion->tag);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{102, 103, 100, 104}));
  EXPECT_EQ(reader.unfinished(), 1U);
  EXPECT_EQ(reader.held(), 1U);
  reader.release();
  EXPECT_EQ(reader.next(0)->tag, 101U);
  EXPECT_EQ(reader.unfinished(), 0U);
  // When nothing else can come, a delay ends.
  submit(reader, 0);
  EXPECT_EQ(reader.next(kForever)->tag, 100U);
}

TEST_F(FaultyReaderTest, ChangesTheFile) {
  FaultyReader reader = with({{.kind = Kind::kChange, .skip = 1}});
  submit(reader, 0);
  finish_all(reader);
  EXPECT_TRUE(reader.check_unchanged());
  submit(reader, 0);
  finish_all(reader);
  EXPECT_FALSE(reader.check_unchanged());
}

}  // namespace
}  // namespace cistern::sys
