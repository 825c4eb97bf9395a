// A FileReader of threads that each wait in pread: works on every system.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/file_reader.h"
#include "sys/read_files.h"
#include "sys/read_queue.h"

namespace cistern::sys {
namespace {

class ThreadReader final : public FileReader {
 public:
  ThreadReader(ReadFiles files, int threads, std::string note)
      : files_(std::move(files)),
        note_(std::move(note)),
        queue_({.pieces = static_cast<std::size_t>(std::max(threads, 1)),
                .bytes = kReadAheadBytes,
                .background_pieces = static_cast<std::size_t>(threads / 2 + 1),
                .background_bytes = kReadAheadBytes}) {
    try {
      for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // Fewer pieces in flight, or none before next() is called.
      note_ += fmt::format("{}the system refused more threads", note_.empty() ? "" : "; ");
    }
  }

  ~ThreadReader() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void submit(const ReadRequest& request, ReadPriority priority) override {
    CISTERN_CHECK(request.file < files_.size());
    {
      const std::lock_guard lock(mutex_);
      queue_.push(request, priority);
    }
    if (request.into.size() > kReadPieceBytes) {
      work_.notify_all();
    } else {
      work_.notify_one();
    }
  }

  std::optional<ReadCompletion> next(double seconds) override {
    const double deadline = steady_seconds() + seconds;
    std::unique_lock lock(mutex_);
    while (!queue_.has_finished() && queue_.unfinished() > 0) {
      if (threads_.empty()) {
        read_one(lock);
        if (steady_seconds() >= deadline) break;
        continue;
      }
      const double left = deadline - steady_seconds();
      if (left <= 0) break;
      // In parts, as the clock cannot count to infinity.
      finished_.wait_for(lock, std::chrono::duration<double>(std::min(left, 60.0)));
    }
    return queue_.pop();
  }

  std::size_t unfinished() const override {
    const std::lock_guard lock(mutex_);
    return queue_.unfinished();
  }

  Result<void> check_unchanged() const override { return files_.check_unchanged(); }
  bool direct() const override { return files_.direct(); }

  std::string describe() const override {
    const std::string how =
        threads_.empty() ? "one read at a time" : fmt::format("{} threads", threads_.size());
    return fmt::format("{}{}, {}", how, note_.empty() ? "" : fmt::format(" ({})", note_), files_.describe());
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (!read_one(lock)) work_.wait(lock);
    }
  }

  // Reads the next piece without the lock. False: there is none.
  bool read_one(std::unique_lock<std::mutex>& lock) {
    std::optional<ReadPiece> piece = queue_.take();
    if (!piece) return false;
    lock.unlock();
    for (bool over = false; !over;) {
      const ReadFiles::Read read = files_.next_read(*piece);
      const ssize_t got = pread(read.fd, read.memory, read.bytes, static_cast<off_t>(read.offset));
      over = files_.take_result(*piece, got < 0 ? -errno : got);
    }
    lock.lock();
    queue_.finish(std::move(*piece));
    if (queue_.has_finished()) finished_.notify_one();
    return true;
  }

  ReadFiles files_;
  std::string note_;
  mutable std::mutex mutex_;  // of everything below, but the threads themselves
  std::condition_variable work_;
  std::condition_variable finished_;
  ReadQueue queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<FileReader>> make_thread_reader(std::span<const std::string> paths, int threads,
                                                       std::string note) {
  CISTERN_TRY(ReadFiles files, ReadFiles::open(paths));
  return std::make_unique<ThreadReader>(std::move(files), threads, std::move(note));
}

}  // namespace cistern::sys
