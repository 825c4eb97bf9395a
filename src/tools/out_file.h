// A result file that appears whole or not at all: written under a temporary name beside its place and renamed
// by commit(); removed again if that never happens. "-" is stdout, and what is no regular file (/dev/null, a
// pipe) is written directly. Single-threaded.
#pragma once

#include <span>
#include <string>

#include "base/error.h"

namespace cistern::tools {

class OutFile {
 public:
  static Result<OutFile> create(const std::string& path);
  OutFile(OutFile&& other) noexcept;
  OutFile& operator=(OutFile&&) = delete;
  ~OutFile();

  Result<void> write(std::span<const std::byte> bytes);
  Result<void> write(std::span<const float> values) { return write(std::as_bytes(values)); }
  // Waits until what was written is on the disk, for files that must survive a power cut whole.
  Result<void> sync();
  Result<void> commit();

 private:
  OutFile() = default;

  std::string path_;
  std::string temporary_;  // empty: written directly
  int fd_ = -1;
};

}  // namespace cistern::tools
