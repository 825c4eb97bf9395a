#include "sys/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <vector>

namespace cistern::sys {
namespace {

TEST(ThreadPool, EveryThreadRunsOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.size(), threads);
    std::vector<int> calls(static_cast<std::size_t>(threads));
    pool.run([&](int index, int count) {
      EXPECT_EQ(count, threads);
      ++calls[static_cast<std::size_t>(index)];
    });
    EXPECT_EQ(calls, std::vector<int>(static_cast<std::size_t>(threads), 1));
  }
}

TEST(ThreadPool, TheCallerIsThreadZero) {
  ThreadPool pool(3);
  std::vector<std::thread::id> ids(3);
  pool.run([&](int index, int) { ids[static_cast<std::size_t>(index)] = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[0]);
  const auto first_ids = ids;
  pool.run([&](int index, int) { ids[static_cast<std::size_t>(index)] = std::this_thread::get_id(); });
  EXPECT_EQ(ids, first_ids);  // the same threads each time
}

// Plain variables cross from the caller to the tasks and back, many times (for TSan too).
TEST(ThreadPool, ResultsAreVisibleAfterRun) {
  ThreadPool pool(4);
  std::vector<long> in(1000);
  std::vector<long> sums(4);
  long expected = 0;
  long found = 0;
  for (int round = 0; round < 2000; ++round) {
    std::iota(in.begin(), in.end(), round);
    expected += std::accumulate(in.begin(), in.end(), 0L);
    pool.run([&](int index, int count) {
      const std::size_t n = in.size() / static_cast<std::size_t>(count);
      const auto begin = in.begin() + static_cast<std::ptrdiff_t>(n * static_cast<std::size_t>(index));
      sums[static_cast<std::size_t>(index)] =
          std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(n), 0L);
    });
    found += std::accumulate(sums.begin(), sums.end(), 0L);
  }
  EXPECT_EQ(found, expected);
}

TEST(ThreadPool, WakesUpAfterSleeping) {
  ThreadPool pool(2);
  std::vector<int> calls(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pool.run([&](int index, int) { ++calls[static_cast<std::size_t>(index)]; });
  }
  EXPECT_EQ(calls, std::vector<int>(2, 3));
}

TEST(ThreadPool, TakesConstTasksAndLvalues) {
  ThreadPool pool(2);
  std::vector<int> seen(2);
  const auto task = [&seen](int index, int) { seen[static_cast<std::size_t>(index)] = 1; };
  pool.run(task);
  EXPECT_EQ(seen, (std::vector<int>{1, 1}));
}

TEST(ThreadPool, UnusedPoolsEnd) {
  for (int i = 0; i < 50; ++i) ThreadPool pool(4);
}

TEST(ThreadPoolDeathTest, RunInsideATaskIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ThreadPool pool(1);
  EXPECT_DEATH(pool.run([&](int, int) { pool.run([](int, int) {}); }), "bug");
}

}  // namespace
}  // namespace cistern::sys
