#include "sys/thread_pool.h"

#include <system_error>

#include "base/check.h"
#include "sys/spin.h"

namespace cistern::sys {
namespace {

// Some tens of microseconds: longer than the gap between two operations of a decode step, short enough not to
// burn a core between tokens.
constexpr int kSpins = 2000;

}  // namespace

ThreadPool::ThreadPool(int threads) {
  CISTERN_CHECK(threads >= 1);
  // More threads than processors: a spinning thread would keep one that has work from running.
  if (threads <= static_cast<int>(std::thread::hardware_concurrency())) spins_ = kSpins;
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error&) {
    // A limit on threads: the pool is as large as the system allows.
  }
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

template <class T>
void ThreadPool::wait_while(const std::atomic<T>& value, T old) const noexcept {
  for (int i = 0; i < spins_; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    spin_pause();
  }
  value.wait(old, std::memory_order_acquire);
}

void ThreadPool::run_erased(Call call, const void* object) noexcept {
  CISTERN_CHECK(!running_.exchange(true, std::memory_order_acquire));
  call_ = call;
  object_ = object;
  count_ = size();
  if (!workers_.empty()) {
    pending_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }
  call(object, 0, count_);
  for (std::uint32_t left = pending_.load(std::memory_order_acquire); left != 0;
       left = pending_.load(std::memory_order_acquire)) {
    wait_while(pending_, left);
  }
  running_.store(false, std::memory_order_release);
}

void ThreadPool::work(int index) noexcept {
  for (std::uint32_t round = 0;; ++round) {
    wait_while(round_, round);
    if (stopping_) return;
    call_(object_, index, count_);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

}  // namespace cistern::sys
