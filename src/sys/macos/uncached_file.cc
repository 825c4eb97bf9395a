#include "sys/uncached_file.h"

#include <fcntl.h>

namespace cistern::sys {

UncachedFile open_uncached(const std::string& path) noexcept {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return {.fd = fd, .direct = fd >= 0 && fcntl(fd, F_NOCACHE, 1) == 0};
}

}  // namespace cistern::sys
