// Opens a file for reading past the page cache, as far as the system can (linux/, macos/). Used by
// disk_speed.cc.
#pragma once

#include <string>

namespace cistern::sys {

struct UncachedFile {
  int fd = -1;          // -1: errno says why; the caller closes it
  bool direct = false;  // reads must be aligned to 4096 bytes, in memory and in the file
};

UncachedFile open_uncached(const std::string& path) noexcept;

}  // namespace cistern::sys
