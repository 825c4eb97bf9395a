#include "sys/thread_place.h"

#include <pthread.h>
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>
#include <ctime>

namespace cistern::sys {

struct ThreadPlace::Handle {
  std::atomic<pid_t> thread{0};  // 0: not bound
  std::atomic<clockid_t> clock{0};
  // Of the thread that was moved; they belong to whoever has set the state to kMoving.
  pid_t moved = 0;
  cpu_set_t home = {};
};

ThreadPlace::ThreadPlace() : handle_(std::make_unique<Handle>()) {}
ThreadPlace::~ThreadPlace() = default;

void ThreadPlace::bind() noexcept {
  clockid_t clock = 0;
  if (pthread_getcpuclockid(pthread_self(), &clock) != 0) return;
  handle_->clock.store(clock, std::memory_order_relaxed);
  handle_->thread.store(gettid(), std::memory_order_relaxed);
}

std::uint64_t ThreadPlace::processor_ns() const noexcept {
  timespec time = {};
  if (handle_->thread.load(std::memory_order_relaxed) == 0) return 0;
  if (clock_gettime(handle_->clock.load(std::memory_order_relaxed), &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

void ThreadPlace::move_here() noexcept {
  const pid_t thread = handle_->thread.load(std::memory_order_relaxed);
  const int processor = sched_getcpu();
  std::uint32_t state = kHome;
  if (thread == 0 || processor < 0 || processor >= CPU_SETSIZE) return;
  if (!state_.compare_exchange_strong(state, kMoving, std::memory_order_acquire)) return;
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(processor), &here);
  handle_->moved = thread;
  const bool moved = sched_getaffinity(thread, sizeof(cpu_set_t), &handle_->home) == 0 &&
                     sched_setaffinity(thread, sizeof here, &here) == 0;
  state_.store(moved ? kMoved : kHome, std::memory_order_release);
}

void ThreadPlace::restore() noexcept {
  std::uint32_t state = kMoved;
  if (!state_.compare_exchange_strong(state, kMoving, std::memory_order_acquire)) return;
  // Off the lent processor first: its owner will need it, and the system would leave the thread where it is.
  cpu_set_t elsewhere = handle_->home;
  CPU_CLR(static_cast<unsigned>(sched_getcpu()), &elsewhere);
  if (CPU_COUNT(&elsewhere) > 0) sched_setaffinity(handle_->moved, sizeof elsewhere, &elsewhere);
  sched_setaffinity(handle_->moved, sizeof(cpu_set_t), &handle_->home);
  state_.store(kHome, std::memory_order_release);
}

}  // namespace cistern::sys
