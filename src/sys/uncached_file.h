// Opens a file for reading past the page cache, as far as the system can, and what else differs between
// systems about that (linux/, macos/). Used by read_files.cc. No state; thread-safe.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace cistern::sys {

struct UncachedFile {
  int fd = -1;          // -1: errno says why; the caller closes it
  bool direct = false;  // reads must be aligned to 4096 bytes, in memory and in the file
};

UncachedFile open_uncached(const std::string& path) noexcept;

// For file systems that open a file for direct reads and then refuse them: reads go through the page cache
// from here on. False: it cannot be had.
bool make_cached(int fd) noexcept;

// Gives back the page cache that a read through it has filled; other programs shall keep theirs.
void drop_cached(int fd, std::uint64_t offset, std::uint64_t bytes) noexcept;

// When the file was last written, as finely as the system tells.
std::int64_t modified_ns(const struct stat& status) noexcept;

}  // namespace cistern::sys
