#include "sys/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
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

TEST(ThreadPool, EveryChunkRunsOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (const std::uint32_t n_chunks : {0U, 1U, 2U, 7U, 8U, 1000U}) {
      std::vector<int> calls(n_chunks);
      pool.run_chunks(n_chunks, [&](int thread, std::uint32_t chunk) {
        EXPECT_TRUE(thread >= 0 && thread < threads);
        ++calls[chunk];
      });
      EXPECT_EQ(calls, std::vector<int>(n_chunks, 1)) << threads << " threads";
    }
  }
}

// `thread` names scratch: nobody else may have it at the same time.
TEST(ThreadPool, AThreadRunsOneChunkAtATime) {
  ThreadPool pool(5);
  std::vector<int> scratch(5);
  int total = 0;
  for (int round = 0; round < 200; ++round) {
    pool.run_chunks(50, [&](int thread, std::uint32_t) { ++scratch[static_cast<std::size_t>(thread)]; });
    total += 50;
  }
  EXPECT_EQ(std::accumulate(scratch.begin(), scratch.end(), 0), total);
}

// One chunk ends only after all others have: possible only where a thread that is held up is relieved of the
// rest of its share, whichever share the chunk is in.
TEST(ThreadPool, AStuckThreadIsRelievedOfItsShare) {
  ThreadPool pool(2);
  constexpr std::uint32_t kChunks = 16;
  for (const std::uint32_t slow : {0U, kChunks / 2}) {
    std::atomic<std::uint32_t> done{0};
    pool.run_chunks(kChunks, [&](int, std::uint32_t chunk) {
      while (chunk == slow && done.load() < kChunks - 1) std::this_thread::yield();
      ++done;
    });
    EXPECT_EQ(done, kChunks);
  }
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

// Rounds of all sizes from several callers, more threads than cores: late workers meet closed rounds.
TEST(ThreadPool, StressMoreThreadsThanCores) {
  const int threads = 2 * static_cast<int>(std::thread::hardware_concurrency()) + 1;
  ThreadPool pool(threads);
  long expected = 0;
  std::vector<long> sums(64);
  const auto rounds = [&](std::uint32_t seed) {
    for (std::uint32_t round = 0; round < 1500; ++round) {
      const std::uint32_t n_chunks = (round * 7 + seed) % 64;
      std::vector<std::uint32_t> values(n_chunks, round);  // gone after the round
      pool.run_chunks(n_chunks, [&sums, &values](int, std::uint32_t chunk) { sums[chunk] += values[chunk]; });
      expected += static_cast<long>(n_chunks) * round;
    }
  };
  for (std::uint32_t caller = 0; caller < 3; ++caller) std::thread(rounds, caller).join();
  EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), 0L), expected);
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
