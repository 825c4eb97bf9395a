// Many processes on one ledger: no line is lost, mixed or changed, not even while its older half moves away.
#include "engine/ledger_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>
#include <vector>

#include "engine/ledger_line.h"
#include "support/temp_dir.h"

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;
using testing::TempDir;

std::string numbered(int writer, int line) {
  return fmt::format("{}1,\"writer\":{},\"line\":{},\"fill\":\"{}\"}}", kLedgerMark, writer, line,
                     std::string(static_cast<std::size_t>(line % 7) * 30, 'x'));
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Of the archive and the ledger, in that order.
std::vector<std::string> all_lines(const std::string& path) {
  std::vector<std::string> lines = lines_of(ledger_archive_path(path));
  for (const std::string& line : lines_of(path)) lines.push_back(line);
  return lines;
}

// Each once, those of a writer in its order.
void expect_all_lines(const std::string& path, int writers, int lines_each) {
  std::map<std::string, int> seen;
  std::map<int, int> next;
  for (const std::string& line : all_lines(path)) ++seen[line];
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(writers) * static_cast<std::size_t>(lines_each));
  for (int writer = 0; writer < writers; ++writer) {
    for (int line = 0; line < lines_each; ++line)
      EXPECT_EQ(seen[numbered(writer, line)], 1) << writer << " " << line;
  }
}

// In the child: no gtest, no destructors.
[[noreturn]] void write_lines(const std::string& path, int writer, int lines, const LedgerLimits& limits) {
  for (int line = 0; line < lines; ++line)
    if (!append_ledger_line(path, numbered(writer, line), limits)) ::_exit(1);
  ::_exit(0);
}

void run_writers(const std::string& path, int writers, int lines_each, const LedgerLimits& limits) {
  std::vector<pid_t> children;
  for (int writer = 0; writer < writers; ++writer) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_lines(path, writer, lines_each, limits);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

TEST(LedgerFile, ProcessesLoseNoLine) {
  const TempDir dir;
  const std::string path = (dir.path() / "state" / "ledger.jsonl").string();
  run_writers(path, 8, 200, {.lock_wait_s = 300});
  expect_all_lines(path, 8, 200);
  EXPECT_FALSE(fs::exists(ledger_archive_path(path)));
}

TEST(LedgerFile, ProcessesLoseNoLineWhileTheOlderHalfMoves) {
  const TempDir dir;
  const std::string path = (dir.path() / "ledger.jsonl").string();
  run_writers(path, 6, 150, {.most_bytes = 8192, .lock_wait_s = 300});
  expect_all_lines(path, 6, 150);
  EXPECT_LE(fs::file_size(path), 8192U);
  EXPECT_GT(fs::file_size(ledger_archive_path(path)), 8192U);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()), 2)
      << "nothing unfinished is left";
}

TEST(LedgerFile, ThreadsLoseNoLine) {
  const TempDir dir;
  const std::string path = (dir.path() / "ledger.jsonl").string();
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&path, writer] {
      for (int line = 0; line < 100; ++line)
        EXPECT_TRUE(
            append_ledger_line(path, numbered(writer, line), {.most_bytes = 8192, .lock_wait_s = 300}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect_all_lines(path, 4, 100);
}

TEST(LedgerFile, AWriterThatIsKilledLosesNothingItHadWritten) {
  const TempDir dir;
  const std::string path = (dir.path() / "ledger.jsonl").string();
  constexpr int kRounds = 20;
  std::vector<int> written(kRounds, 0);
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int line = 0;; ++line) {
        if (!append_ledger_line(path, numbered(round, line), {.most_bytes = 2048})) ::_exit(1);
        if (::write(ends[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ::close(ends[1]);
    // Killed wherever it is after some lines, most likely while a half moves, which takes longest.
    char byte = 0;
    for (int line = 0; line < 10 + round; ++line)
      if (::read(ends[0], &byte, 1) == 1) ++written[static_cast<std::size_t>(round)];
    ::kill(child, SIGKILL);
    while (::read(ends[0], &byte, 1) == 1) ++written[static_cast<std::size_t>(round)];
    ::close(ends[0]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
  ASSERT_TRUE(append_ledger_line(path, numbered(kRounds, 0)));
  EXPECT_LE(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()), 3);
  std::vector<std::string> lines = all_lines(path);
  std::ranges::sort(lines);
  for (int round = 0; round < kRounds; ++round) {
    EXPECT_GE(written[static_cast<std::size_t>(round)], 10 + round);
    for (int line = 0; line < written[static_cast<std::size_t>(round)]; ++line)
      EXPECT_TRUE(std::ranges::binary_search(lines, numbered(round, line))) << round << " " << line;
  }
}

TEST(LedgerFile, TheOlderHalfMovesInOrderAndAppendsToTheArchive) {
  const TempDir dir;
  const std::string path = (dir.path() / "ledger.jsonl").string();
  std::vector<std::string> written;
  for (int line = 0; line < 300; ++line) {
    written.push_back(numbered(0, line));
    ASSERT_TRUE(append_ledger_line(path, written.back(), {.most_bytes = 4096}));
    EXPECT_LE(fs::file_size(path), 4096U);
  }
  EXPECT_EQ(all_lines(path), written);
  EXPECT_GT(lines_of(path).size(), 5U);
}

TEST(LedgerFile, ALedgerMuchTooLargeShrinksAtOnce) {
  const TempDir dir;
  std::string text;
  for (int line = 0; line < 1000; ++line) text += numbered(0, line) + "\n";
  const std::string path = dir.write("ledger.jsonl", text).string();
  ASSERT_TRUE(append_ledger_line(path, numbered(0, 1000), {.most_bytes = 4096}));
  EXPECT_LE(fs::file_size(path), 4096U);
  expect_all_lines(path, 1, 1001);
}

TEST(LedgerFile, WhatCannotMoveStaysAndGrows) {
  const TempDir dir;
  const std::string path = (dir.path() / "ledger.jsonl").string();
  fs::create_directories(ledger_archive_path(path));  // a folder in the archive's place
  int refused = 0;
  std::vector<std::string> written;
  for (int line = 0; line < 60; ++line) {
    written.push_back(numbered(0, line));
    const auto appended = append_ledger_line(path, written.back(), {.most_bytes = 2048});
    if (appended) continue;
    ++refused;
    EXPECT_EQ(appended.error().code, ErrorCode::kIo);
    EXPECT_NE(appended.error().message.find("ledger.1.jsonl"), std::string::npos) << appended.error().message;
  }
  EXPECT_GT(refused, 10);
  EXPECT_EQ(lines_of(path), written);
  // A foreign archive is not touched either.
  fs::remove(ledger_archive_path(path));
  dir.write("ledger.1.jsonl", "my own notes\n");
  EXPECT_FALSE(append_ledger_line(path, numbered(0, 60), {.most_bytes = 2048}));
  EXPECT_EQ(lines_of(ledger_archive_path(path)), std::vector<std::string>{"my own notes"});
  EXPECT_EQ(lines_of(path).size(), 61U);
  // And once it can move, it does.
  fs::remove(ledger_archive_path(path));
  EXPECT_TRUE(append_ledger_line(path, numbered(0, 61), {.most_bytes = 2048}));
  EXPECT_LE(fs::file_size(path), 2048U);
  expect_all_lines(path, 1, 62);
}

TEST(LedgerFile, ALineWithoutAnEndDoesNotStopIt) {
  const TempDir dir;
  const std::string endless = std::string(kLedgerMark) + std::string(10'000, ' ');
  const std::string path = dir.write("ledger.jsonl", endless).string();
  EXPECT_FALSE(append_ledger_line(path, numbered(0, 0), {.most_bytes = 4096}));  // kept, not moved
  EXPECT_TRUE(append_ledger_line(path, numbered(0, 1), {.most_bytes = 4096}));
  EXPECT_EQ(all_lines(path), (std::vector{endless, numbered(0, 0), numbered(0, 1)}));
}

TEST(LedgerFile, ALinkStaysALink) {
  const TempDir dir;
  fs::create_directories(dir.path() / "real");
  const std::string path = (dir.path() / "ledger.jsonl").string();
  fs::create_symlink("real/mine.jsonl", path);
  for (int line = 0; line < 100; ++line)
    ASSERT_TRUE(append_ledger_line(path, numbered(0, line), {.most_bytes = 4096}));
  EXPECT_TRUE(fs::is_symlink(path));
  std::vector<std::string> lines = lines_of(dir.path() / "real" / "mine.1.jsonl");
  EXPECT_FALSE(lines.empty());
  for (const std::string& line : lines_of(path)) lines.push_back(line);
  EXPECT_EQ(lines.size(), 100U);
}

TEST(LedgerFile, WaitsForALockButNotForever) {
  const TempDir dir;
  const std::string path = dir.write("ledger.jsonl", numbered(0, 0) + "\n").string();
  const int other = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(other, 0);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  const auto refused = append_ledger_line(path, numbered(0, 1), {.lock_wait_s = 0.02});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_EQ(lines_of(path).size(), 1U);
  std::thread waiting([&] { EXPECT_TRUE(append_ledger_line(path, numbered(0, 1), {.lock_wait_s = 300})); });
  ::close(other);
  waiting.join();
  EXPECT_EQ(lines_of(path).size(), 2U);
}

TEST(LedgerFile, ALimitOnFilesIsAnErrorAndNoSignal) {
  const TempDir dir;
  const std::string path = dir.write("ledger.jsonl", numbered(0, 0) + "\n").string();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const struct rlimit limit{.rlim_cur = 100, .rlim_max = 100};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
    const auto appended = append_ledger_line(path, numbered(0, 1));
    ::_exit(!appended && appended.error().code == ErrorCode::kIo ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(lines_of(path), std::vector{numbered(0, 0)});
}

TEST(LedgerFile, TheArchiveLiesBesideIt) {
  EXPECT_EQ(ledger_archive_path("/a/b.c/ledger.jsonl"), "/a/b.c/ledger.1.jsonl");
  EXPECT_EQ(ledger_archive_path("ledger"), "ledger.1");
}

}  // namespace
}  // namespace cistern::engine
