// A fixed set of threads that run one task together: run(task) calls task(thread_index, thread_count) once
// per thread, the caller being thread 0, and returns when all have returned. Used by ops/ many times per
// token, so waiting spins briefly before it sleeps and nothing is allocated. One run at a time, none inside a
// task; tasks do not throw. What the caller wrote before run() is visible to the tasks, and what they wrote
// to the caller.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace cistern::sys {

class ThreadPool {
 public:
  // REQUIRES: threads >= 1. Starts threads - 1 workers; fewer when the system refuses more (see size()).
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  template <class F>
  void run(F&& task) noexcept {
    using Task = std::remove_reference_t<F>;
    run_erased([](const void* object, int index,
                  int count) noexcept { (*static_cast<Task*>(const_cast<void*>(object)))(index, count); },
               std::addressof(task));
  }

 private:
  using Call = void (*)(const void* object, int thread_index, int thread_count) noexcept;

  void run_erased(Call call, const void* object) noexcept;
  void work(int index) noexcept;
  template <class T>
  void wait_while(const std::atomic<T>& value, T old) const noexcept;

  int spins_ = 0;  // loads before a waiting thread sleeps
  Call call_ = nullptr;
  const void* object_ = nullptr;
  int count_ = 1;
  bool stopping_ = false;
  std::atomic<bool> running_{false};
  // Apart from each other: workers poll the first, the caller the second. 32 bits: one futex word each.
  alignas(64) std::atomic<std::uint32_t> round_{0};
  alignas(64) std::atomic<std::uint32_t> pending_{0};
  std::vector<std::thread> workers_;
};

}  // namespace cistern::sys
