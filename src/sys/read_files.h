// The open files of a FileReader, and what a single read of one of them means: where the next one goes, and
// whether what came back ends the piece, is to be continued or is an error. Used by the implementations of
// FileReader, which do the reading itself. Reads of different pieces may be taken in from several threads at
// once. Descriptors are closed with the object.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/read_queue.h"

namespace cistern::sys {

class ReadFiles {
 public:
  // kNotFound, kIo: a file cannot be opened or is not a regular one.
  static Result<ReadFiles> open(std::span<const std::string> paths);

  ReadFiles(ReadFiles&&) noexcept = default;
  ReadFiles& operator=(ReadFiles&&) = delete;
  ~ReadFiles();

  std::size_t size() const { return files_.size(); }

  struct Read {  // the arguments of pread
    int fd;
    std::byte* memory;
    std::size_t bytes;
    std::uint64_t offset;
  };
  Read next_read(ReadPiece& piece) const;

  // Takes in what that read gave: a number of bytes, or an errno below zero. True when the piece is over,
  // with piece.error if it failed; otherwise there is a next read.
  bool take_result(ReadPiece& piece, std::int64_t result);

  Result<void> check_unchanged() const;
  bool direct() const;
  std::string describe() const;  // "past the page cache"

 private:
  struct File {
    std::string path;
    int fd = -1;
    std::uint64_t size_bytes = 0;
    std::int64_t modified_ns = 0;
    std::atomic<bool> direct{false};  // cleared when the file system refuses
  };

  explicit ReadFiles(std::size_t count) : files_(count) {}

  static Result<void> open_one(File& file, const std::string& path);
  bool is_over(ReadPiece& piece, std::int64_t result);

  std::vector<File> files_;
};

}  // namespace cistern::sys
