// Where a thread may run, as another thread of the process sees and changes it: lets a thread that waits for
// a preempted one give it its own processor. Used by thread_pool.cc: when another program shares a core, the
// system takes a worker off it for milliseconds in the middle of a chunk, and everybody would wait. Where the
// system has no such calls (macOS) every function does nothing. bind() is called by the thread itself, all
// others by any thread, at any time after that.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace cistern::sys {

class ThreadPlace {
 public:
  ThreadPlace();
  ~ThreadPlace();
  ThreadPlace(const ThreadPlace&) = delete;
  ThreadPlace& operator=(const ThreadPlace&) = delete;

  void bind() noexcept;  // to the calling thread

  // Processor time the thread has had; unchanged between two looks: it was not running. 0: cannot be told.
  std::uint64_t processor_ns() const noexcept;

  // Moves the thread to the caller's processor, unless it is moved already; the caller should sleep then.
  void move_here() noexcept;
  // Lets the thread run where it could before move_here(); nothing to do mostly, which costs one load.
  void move_back() noexcept {
    if (state_.load(std::memory_order_acquire) == kMoved) restore();
  }

 private:
  enum State : std::uint32_t { kHome, kMoving, kMoved };
  struct Handle;  // the system's names for the thread, and its processors before move_here()

  void restore() noexcept;

  std::atomic<std::uint32_t> state_{kHome};
  std::unique_ptr<Handle> handle_;
};

}  // namespace cistern::sys
