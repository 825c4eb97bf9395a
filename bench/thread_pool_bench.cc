// What a round of the thread pool costs, alone and beside busy loops of other processes, and how much of the
// quiet speed is left there. The second argument is the number of busy loops; compare a row with that of 0
// loops.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "sys/thread_pool.h"

namespace {

using cistern::sys::ThreadPool;

// Processes that compute while this object lives.
class BusyLoops {
 public:
  explicit BusyLoops(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const pid_t process = fork();
      if (process == 0) {
        for (volatile std::uint64_t n = 0;;) n = n + 1;
      }
      if (process > 0) processes_.push_back(process);
    }
    if (count > 0) usleep(100'000);  // until the scheduler has settled
  }
  ~BusyLoops() {
    for (const pid_t process : processes_) {
      kill(process, SIGKILL);
      waitpid(process, nullptr, 0);
    }
  }
  BusyLoops(const BusyLoops&) = delete;
  BusyLoops& operator=(const BusyLoops&) = delete;

 private:
  std::vector<pid_t> processes_;
};

void empty_round(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const BusyLoops loops(state.range(1));
  for (auto _ : state) pool.run([](int, int) {});
}
BENCHMARK(empty_round)->ArgNames({"threads", "busy"})->ArgsProduct({{1, 2}, {0, 1, 2}})->UseRealTime();

// About 20 microseconds of arithmetic.
std::uint64_t work(std::uint64_t seed) {
  for (int i = 0; i < 20'000; ++i) seed = seed * 6364136223846793005U + 1442695040888963407U;
  return seed;
}

// As a decode step does it: rounds of a few hundred microseconds, one after the other.
void decode_like_rounds(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const BusyLoops loops(state.range(1));
  const auto n_chunks = static_cast<std::uint32_t>(state.range(2));
  std::vector<std::uint64_t> sums(n_chunks);
  constexpr int kRounds = 100;
  for (auto _ : state) {
    for (int round = 0; round < kRounds; ++round) {
      pool.run_chunks(n_chunks, [&](int, std::uint32_t chunk) { sums[chunk] = work(sums[chunk]); });
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRounds * n_chunks));
}
BENCHMARK(decode_like_rounds)
    ->ArgNames({"threads", "busy", "chunks"})
    ->ArgsProduct({{1, 2}, {0, 1, 2}, {16}})
    ->UseRealTime();

}  // namespace
