#include "sys/thread_pool.h"

#include <system_error>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/spin.h"

namespace cistern::sys {
namespace {

// Parts of the gate word.
constexpr std::uint32_t kJoined = 0x3fff;  // workers in the round
constexpr std::uint32_t kStop = 1U << 14U;
constexpr std::uint32_t kOpen = 1U << 15U;
constexpr std::uint32_t kRound = 1U << 16U;

// Longer than the gap between two operations of a decode step, short enough not to burn a core between tokens
// or to hold one that another program could use.
constexpr double kSpinSeconds = 50e-6;
// A thread whose processor time stands still for so long is not running.
constexpr double kLookSeconds = 5e-6;
constexpr int kPausesPerLook = 16;  // at the clock

constexpr std::uint64_t pack(std::uint64_t begin, std::uint64_t end) {
  return begin | end << 32U;
}
constexpr std::uint32_t begin_of(std::uint64_t range) {
  return static_cast<std::uint32_t>(range);
}
constexpr std::uint32_t end_of(std::uint64_t range) {
  return static_cast<std::uint32_t>(range >> 32U);
}

// Is done() true within so much time?
template <class F>
bool spin_until(double seconds, const F& done) noexcept {
  for (double start = 0;;) {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (done()) return true;
      if (seconds == 0) return false;
      spin_pause();
    }
    const double now = steady_seconds();
    if (start == 0) start = now;
    if (now - start > seconds) return false;
  }
}

}  // namespace

ThreadPool::ThreadPool(int threads) : members_(static_cast<std::size_t>(threads)) {
  CISTERN_CHECK(threads >= 1 && static_cast<std::uint32_t>(threads) <= kJoined);
  // More threads than processors: a spinning thread would keep one that has work from running.
  if (threads <= static_cast<int>(std::thread::hardware_concurrency())) spin_seconds_ = kSpinSeconds;
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error&) {
    // A limit on threads: the pool is as large as the system allows.
  }
  n_threads_ = static_cast<int>(workers_.size()) + 1;
}

ThreadPool::~ThreadPool() {
  gate_.fetch_or(kStop, std::memory_order_release);
  gate_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  members_[0].place.move_back();
}

// The caller may be another thread each time.
void ThreadPool::enter_as_caller() noexcept {
  Member& caller = members_[0];
  if (const auto id = std::this_thread::get_id(); id != caller_) {
    caller.place.move_back();
    caller.place.bind();
    caller_ = id;
  }
  caller.in_round.store(true, std::memory_order_release);
}

void ThreadPool::run_erased(std::uint32_t n_chunks, Task task) noexcept {
  CISTERN_CHECK(!running_.exchange(true, std::memory_order_acquire));
  if (workers_.empty() || n_chunks <= 1) {
    for (std::uint32_t chunk = 0; chunk < n_chunks; ++chunk) task.call(task.object, 0, chunk);
    running_.store(false, std::memory_order_release);
    return;
  }
  // Nobody is in a round now, so nobody reads these.
  task_ = task;
  const auto n = static_cast<std::uint64_t>(n_threads_);
  for (std::uint64_t i = 0; i < n; ++i) {
    members_[i].chunks.store(pack(n_chunks * i / n, n_chunks * (i + 1) / n), std::memory_order_relaxed);
  }
  enter_as_caller();
  const std::uint32_t round = (gate_.load(std::memory_order_relaxed) & ~(kRound - 1)) + kRound;
  gate_.exchange(round | kOpen, std::memory_order_seq_cst);
  gate_.notify_all();
  take_chunks(0);
  if ((gate_.fetch_and(~kOpen, std::memory_order_acq_rel) & kJoined) != 0) wait_for_workers();
  members_[0].in_round.store(false, std::memory_order_release);
  members_[0].place.move_back();
  running_.store(false, std::memory_order_release);
}

// What remains are chunks that others have begun. They are acquired through the gate: the count of joined
// workers falls by read-modify-writes only, so reading 0 synchronizes with all of them.
void ThreadPool::wait_for_workers() noexcept {
  const auto all_left = [this] { return (gate_.load(std::memory_order_seq_cst) & kJoined) == 0; };
  while (!spin_until(spin_seconds_, all_left)) {
    help_preempted(0);
    caller_sleeps_.store(1, std::memory_order_seq_cst);
    if (!all_left()) caller_sleeps_.wait(1, std::memory_order_seq_cst);
  }
  caller_sleeps_.store(0, std::memory_order_relaxed);
}

void ThreadPool::leave() noexcept {
  const std::uint32_t before = gate_.fetch_sub(1, std::memory_order_seq_cst);
  if ((before & (kOpen | kJoined)) != 1) return;
  // The last one out of a closed round. The caller may be gone already, or in its next round: a wake-up too
  // many makes it look again.
  if (caller_sleeps_.exchange(0, std::memory_order_seq_cst) != 0) caller_sleeps_.notify_one();
}

// The gate with an open round other than `seen`, or with kStop.
std::uint32_t ThreadPool::wait_for_round(int thread, std::uint32_t seen) noexcept {
  std::uint32_t gate = 0;
  const auto something_to_do = [&] {
    gate = gate_.load(std::memory_order_relaxed);
    return (gate & kStop) != 0 || ((gate & kOpen) != 0 && gate / kRound != seen);
  };
  while (!spin_until(spin_seconds_, something_to_do)) {
    if ((gate & kOpen) != 0) help_preempted(thread);
    gate_.wait(gate, std::memory_order_seq_cst);
  }
  return gate;
}

void ThreadPool::work(int thread) noexcept {
  Member& self = members_[static_cast<std::size_t>(thread)];
  self.place.bind();
  for (std::uint32_t seen = 0;;) {
    std::uint32_t gate = wait_for_round(thread, seen);
    if ((gate & kStop) != 0) return;
    // Fails when the round has ended meanwhile: then nothing of it may be touched.
    if (!gate_.compare_exchange_strong(gate, gate + 1, std::memory_order_acquire)) continue;
    seen = gate / kRound;
    self.in_round.store(true, std::memory_order_release);
    take_chunks(thread);
    self.in_round.store(false, std::memory_order_release);
    leave();
    self.place.move_back();
  }
}

// Gives the core of a thread that has nothing to do, and will sleep, to one that has been taken off its own
// inside a chunk. Without this a round lasts as long as the other program's time slice (4 ms): measured with
// one busy loop on two cores, 0.53 of the quiet speed instead of 0.9.
void ThreadPool::help_preempted(int waiting) noexcept {
  if (spin_seconds_ == 0) return;  // more threads than cores: they take each other's, and none is to spare
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    const auto has_left = [&] { return !member.in_round.load(std::memory_order_acquire); };
    if (static_cast<int>(i) == waiting || has_left()) continue;
    const std::uint64_t before = member.place.processor_ns();
    if (before == 0 || spin_until(kLookSeconds, has_left) || member.place.processor_ns() != before) continue;
    member.place.move_here();
    if (has_left()) member.place.move_back();
    return;
  }
}

// Relaxed: that a chunk is taken once is all that matters here. Data is passed on by the gate.
void ThreadPool::take_chunks(int thread) noexcept {
  std::atomic<std::uint64_t>& own = members_[static_cast<std::size_t>(thread)].chunks;
  std::uint64_t range = own.load(std::memory_order_relaxed);
  while (begin_of(range) < end_of(range)) {
    if (!own.compare_exchange_weak(range, range + 1, std::memory_order_relaxed)) continue;
    task_.call(task_.object, thread, begin_of(range));
    range = own.load(std::memory_order_relaxed);
  }
  while (steal(thread)) {
  }
}

// Takes the last chunk of the fullest share; false when all are empty.
bool ThreadPool::steal(int thread) noexcept {
  for (;;) {
    std::atomic<std::uint64_t>* fullest = nullptr;
    std::uint64_t range = 0;
    for (Member& member : members_) {
      const std::uint64_t other = member.chunks.load(std::memory_order_relaxed);
      if (end_of(other) - begin_of(other) <= end_of(range) - begin_of(range)) continue;
      fullest = &member.chunks;
      range = other;
    }
    if (fullest == nullptr) return false;
    const std::uint32_t last = end_of(range) - 1;
    if (!fullest->compare_exchange_strong(range, pack(begin_of(range), last), std::memory_order_relaxed))
      continue;
    task_.call(task_.object, thread, last);
    return true;
  }
}

}  // namespace cistern::sys
