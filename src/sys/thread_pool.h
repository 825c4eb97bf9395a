// A fixed set of threads that work off the chunks of one task together. Used by ops/ many times per token, so
// a round costs about a microsecond, and it never waits for a thread that has not begun: chunks are taken,
// not assigned. A worker that the system has not scheduled in time finds nothing left, the caller having done
// its share, and a slow core takes less. Idle threads spin briefly, then sleep. Nothing is allocated in a
// round.
//
// Which of the two to call:
//   run_chunks(n, f)  for kernels: f(thread, chunk) exactly once for each chunk. `thread` names the
//   per-thread
//                     scratch. Give several chunks per thread (4 to 16) of 10 microseconds or more each: they
//                     are what a slow core can be relieved of, and what the others wait for at the end.
//   run(f)            f(index, count) exactly once for each index below count = size(), as one chunk each, on
//   any
//                     thread; `index` names the scratch.
//
// Each thread works through its own contiguous share first, in order, the same one for the same n: reads stay
// sequential and near. Then it takes chunks from the far end of the fullest other share. A thread that was
// taken off its core inside a chunk gets the core of one that waits for it. One round at a time, none inside
// a task; tasks do not throw. What the caller wrote before is visible to the tasks, and what they wrote to
// the caller after.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include "sys/thread_place.h"

namespace cistern::sys {

class ThreadPool {
 public:
  // REQUIRES: 1 <= threads < 16384. Starts threads - 1 workers; fewer when the system refuses more (see
  // size()).
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const noexcept { return n_threads_; }

  template <class F>
  void run_chunks(std::uint32_t n_chunks, F&& f) noexcept {
    using Function = std::remove_reference_t<F>;
    run_erased(n_chunks, {[](const void* object, int thread, std::uint32_t chunk) noexcept {
                            (*static_cast<Function*>(const_cast<void*>(object)))(thread, chunk);
                          },
                          std::addressof(f)});
  }

  template <class F>
  void run(F&& f) noexcept {
    const int count = size();
    run_chunks(static_cast<std::uint32_t>(count),
               [&f, count](int, std::uint32_t index) { f(static_cast<int>(index), count); });
  }

 private:
  struct Task {
    void (*call)(const void* object, int thread, std::uint32_t chunk) noexcept = nullptr;
    const void* object = nullptr;
  };

  struct alignas(64) Member {
    // Chunks [begin, end) of its share that nobody has taken yet, as begin | end << 32. The thread itself
    // takes from the front, the others from the back.
    std::atomic<std::uint64_t> chunks{0};
    std::atomic<bool> in_round{false};  // looked at by those who wait, and stale perhaps
    ThreadPlace place;
  };

  void run_erased(std::uint32_t n_chunks, Task task) noexcept;
  void enter_as_caller() noexcept;
  void take_chunks(int thread) noexcept;
  bool steal(int thread) noexcept;
  void work(int thread) noexcept;
  std::uint32_t wait_for_round(int thread, std::uint32_t seen) noexcept;
  void leave() noexcept;
  void wait_for_workers() noexcept;
  void help_preempted(int waiting) noexcept;

  int n_threads_ = 1;
  double spin_seconds_ = 0;      // before a thread that waits sleeps
  std::vector<Member> members_;  // one per thread, the caller first
  std::thread::id caller_;       // of the last round
  Task task_;
  std::atomic<bool> running_{false};
  // Number of the round (high half), whether it is open, and how many workers are in it. One word, so that a
  // worker can join only a round that is still open; 32 bits, so that it can be slept on.
  alignas(64) std::atomic<std::uint32_t> gate_{0};
  alignas(64) std::atomic<std::uint32_t> caller_sleeps_{0};
  std::vector<std::thread> workers_;
};

}  // namespace cistern::sys
