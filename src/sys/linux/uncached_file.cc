#include "sys/uncached_file.h"

#include <fcntl.h>
#include <unistd.h>

namespace cistern::sys {

UncachedFile open_uncached(const std::string& path) noexcept {
  const int direct = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
  if (direct >= 0) return {.fd = direct, .direct = true};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);  // tmpfs and some others have no direct reads
  if (fd >= 0) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  return {.fd = fd, .direct = false};
}

}  // namespace cistern::sys
