// A FileReader on io_uring: the kernel reads by itself, and no thread waits for it.
#include <fmt/format.h>
#include <liburing.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/file_reader.h"
#include "sys/read_files.h"
#include "sys/read_queue.h"

namespace cistern::sys {
namespace {

constexpr unsigned kPiecesInFlight = 256;  // small ones; large ones are bound by kReadAheadBytes

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (is_open_) io_uring_queue_exit(&ring_);
  }

  // 0 or an errno: the kernel has none, was told to refuse, or wants more locked memory than allowed.
  int open() {
    if (const int failure = io_uring_queue_init(kPiecesInFlight, &ring_, 0); failure < 0) return -failure;
    is_open_ = true;
    const std::unique_ptr<io_uring_probe, decltype(&io_uring_free_probe)> probe(
        io_uring_get_probe_ring(&ring_), &io_uring_free_probe);
    // The first kernels with io_uring had other reads.
    return probe != nullptr && io_uring_opcode_supported(probe.get(), IORING_OP_READ) ? 0 : ENOSYS;
  }

  // In the background also what comes before the disk is left to the kernel: memory that was never touched
  // has to be made, and whoever only hopes for these bytes should not wait for that. REQUIRES: fewer than
  // kPiecesInFlight are under way.
  void read(const ReadFiles::Read& read, std::uint64_t tag, bool background) {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
    CISTERN_CHECK(entry != nullptr);
    io_uring_prep_read(entry, read.fd, read.memory, static_cast<unsigned>(read.bytes), read.offset);
    if (background) io_uring_sqe_set_flags(entry, IOSQE_ASYNC);
    io_uring_sqe_set_data64(entry, tag);
  }

  // What the kernel does not take now, for want of memory, goes with the next call.
  void submit() { io_uring_submit(&ring_); }
  std::size_t not_submitted() const { return io_uring_sq_ready(&ring_); }

  void wait(double seconds) {
    const double whole = std::floor(seconds);
    __kernel_timespec time = {.tv_sec = static_cast<long long>(whole),
                              .tv_nsec = static_cast<long long>((seconds - whole) * 1e9)};
    io_uring_cqe* first = nullptr;
    io_uring_wait_cqe_timeout(&ring_, &first, &time);
  }

  struct Completion {
    std::uint64_t tag;
    int result;
  };
  std::optional<Completion> pop() {
    io_uring_cqe* entry = nullptr;
    if (io_uring_peek_cqe(&ring_, &entry) != 0) return {};
    const Completion completion{.tag = io_uring_cqe_get_data64(entry), .result = entry->res};
    io_uring_cqe_seen(&ring_, entry);
    return completion;
  }

 private:
  io_uring ring_ = {};
  bool is_open_ = false;
};

class UringReader final : public FileReader {
 public:
  UringReader(ReadFiles files, std::unique_ptr<Ring> ring)
      : files_(std::move(files)),
        ring_(std::move(ring)),
        queue_({.pieces = kPiecesInFlight,
                .bytes = kReadAheadBytes,
                .background_pieces = kPiecesInFlight / 4,
                .background_bytes = kReadAheadBytes / 4}),
        pieces_(kPiecesInFlight) {
    for (std::uint32_t i = 0; i < kPiecesInFlight; ++i) free_.push_back(i);
  }

  ~UringReader() override {
    while (queue_.in_flight() > ring_->not_submitted()) {
      ring_->wait(1.0);
      while (const auto completion = ring_->pop()) queue_.finish(std::move(pieces_[completion->tag]));
    }
  }

  void submit(const ReadRequest& request, ReadPriority priority) override {
    CISTERN_CHECK(request.file < files_.size());
    queue_.push(request, priority);
    begin_reads();
  }

  std::optional<ReadCompletion> next(double seconds) override {
    const double deadline = steady_seconds() + seconds;
    while (true) {
      take_results();
      begin_reads();
      if (auto completion = queue_.pop()) return completion;
      const double left = deadline - steady_seconds();
      if (left <= 0 || queue_.unfinished() == 0) return {};
      ring_->wait(std::min(left, 1.0));  // not longer, for the case that the kernel had refused reads
    }
  }

  std::size_t unfinished() const override { return queue_.unfinished(); }
  Result<void> check_unchanged() const override { return files_.check_unchanged(); }
  bool direct() const override { return files_.direct(); }
  std::string describe() const override { return fmt::format("io_uring, {}", files_.describe()); }

 private:
  void begin_reads() {
    while (auto piece = queue_.take()) {
      const std::uint32_t index = free_.back();
      free_.pop_back();
      pieces_[index] = std::move(*piece);
      ring_->read(files_.next_read(pieces_[index]), index, pieces_[index].background);
    }
    ring_->submit();
  }

  void take_results() {
    while (const auto completion = ring_->pop()) {
      const auto index = static_cast<std::uint32_t>(completion->tag);
      ReadPiece& piece = pieces_[index];
      if (files_.take_result(piece, completion->result)) {
        queue_.finish(std::move(piece));
        free_.push_back(index);
      } else {
        ring_->read(files_.next_read(piece), index, piece.background);
      }
    }
  }

  ReadFiles files_;
  std::unique_ptr<Ring> ring_;
  ReadQueue queue_;
  std::vector<ReadPiece> pieces_;    // in flight, by the tag that the kernel gives back
  std::vector<std::uint32_t> free_;  // places in pieces_
};

}  // namespace

Result<std::unique_ptr<FileReader>> make_uring_reader(std::span<const std::string> paths) {
  CISTERN_TRY(ReadFiles files, ReadFiles::open(paths));
  auto ring = std::make_unique<Ring>();
  if (const int failure = ring->open(); failure != 0) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("no io_uring: {}", std::generic_category().message(failure)));
  }
  return std::make_unique<UringReader>(std::move(files), std::move(ring));
}

}  // namespace cistern::sys
