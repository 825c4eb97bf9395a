// Reads pieces of files into memory of the caller while the caller computes: many requests at once, past the
// page cache where the file system has direct reads. Used by the store that streams weights and by
// disk_speed. Knows nothing of what the bytes mean, and neither allocates nor caches them. Used from one
// thread, the same one for all calls; the memory of a request belongs to the reader until its completion was
// handed out or the reader is destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"

namespace cistern::sys {

inline constexpr std::uint64_t kReadAlignment = 4096;  // of offset, size and memory of every request

enum class ReadPriority {
  kDemand,
  kBackground,  // begun only when no demand request waits, and never fills the whole queue of the disk
};

struct ReadRequest {
  std::uint32_t file = 0;          // index into the paths that the reader was made with
  std::uint64_t offset = 0;        // multiple of kReadAlignment
  std::span<std::byte> into;       // address and size are multiples of kReadAlignment; may reach beyond the
                                   // file's end, where nothing is promised of its bytes
  std::uint64_t needed_bytes = 0;  // at most into.size(): so many from `offset` on must be there, else kIo
  std::uint64_t tag = 0;           // given back with the completion
};

struct ReadCompletion {
  std::uint64_t tag = 0;
  std::optional<Error> error;  // kIo, naming file and offset; `into` then holds anything
};

class FileReader {
 public:
  FileReader() = default;
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  // Requests that were not begun are dropped; waits for those that were, because they write into their
  // memory: declare a reader after the owner of what it reads into.
  virtual ~FileReader() = default;

  // Queues, never waits for the disk. Requests of one priority are begun in the order in which they come.
  virtual void submit(const ReadRequest& request, ReadPriority priority) = 0;

  // The next finished request, in any order. Waits up to `seconds`, which may be infinite; 0 only looks.
  // Nothing: none finished in time, or there is none. What waits in the queue is begun in submit() and here,
  // as far as the reader has no threads of its own: whoever computes for longer than the disk takes for
  // kReadAheadBytes looks in between.
  virtual std::optional<ReadCompletion> next(double seconds) = 0;

  // Submitted, and the completion not handed out yet.
  virtual std::size_t unfinished() const = 0;

  // kIo when the size or the time of change of a file is no longer what it was when the reader was made.
  virtual Result<void> check_unchanged() const = 0;

  // Whether all files are read past the page cache.
  virtual bool direct() const = 0;

  // For people: "io_uring, past the page cache".
  virtual std::string describe() const = 0;
};

// How much of demand is kept in flight: the disk goes on for as long as it takes for that, 20 ms at 3 GB/s,
// while the caller computes and does not look.
inline constexpr std::uint64_t kReadAheadBytes = 64ULL << 20U;
inline constexpr int kReadThreads = 8;

// Opens the files and takes the fastest way to read them that this system allows: io_uring, else threads.
// kNotFound, kIo: a file cannot be opened or is not a regular one.
Result<std::unique_ptr<FileReader>> make_file_reader(std::span<const std::string> paths);

// The two ways by name, for tests and measurements. kUnsupported: the system has no io_uring, or forbids it.
Result<std::unique_ptr<FileReader>> make_uring_reader(std::span<const std::string> paths);

// Fewer threads when the system refuses more. With none, requests are read inside next(), which then takes as
// long as a piece of one request even when it was told to only look. `note` says in describe() why it was
// chosen.
Result<std::unique_ptr<FileReader>> make_thread_reader(std::span<const std::string> paths,
                                                       int threads = kReadThreads, std::string note = {});

}  // namespace cistern::sys
