#include "sys/uncached_file.h"

#include <fcntl.h>

namespace cistern::sys {

UncachedFile open_uncached(const std::string& path) noexcept {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return {.fd = fd, .direct = fd >= 0 && fcntl(fd, F_NOCACHE, 1) == 0};
}

bool make_cached(int fd) noexcept {
  return fcntl(fd, F_NOCACHE, 0) == 0;
}

void drop_cached(int, std::uint64_t, std::uint64_t) noexcept {}  // there is no such advice

std::int64_t modified_ns(const struct stat& status) noexcept {
  return std::int64_t{status.st_mtimespec.tv_sec} * 1'000'000'000 + status.st_mtimespec.tv_nsec;
}

}  // namespace cistern::sys
