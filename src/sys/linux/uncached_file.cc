#include "sys/uncached_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace cistern::sys {
namespace {

// Its files are the page cache; newer kernels take the flag all the same.
bool is_tmpfs(int fd) {
  struct statfs system = {};
  return fstatfs(fd, &system) == 0 && system.f_type == TMPFS_MAGIC;
}

}  // namespace

UncachedFile open_uncached(const std::string& path) noexcept {
  const int direct = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
  if (direct >= 0) return {.fd = direct, .direct = !(is_tmpfs(direct) && make_cached(direct))};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);  // a file system without direct reads
  if (fd >= 0) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  return {.fd = fd, .direct = false};
}

bool make_cached(int fd) noexcept {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

void drop_cached(int fd, std::uint64_t offset, std::uint64_t bytes) noexcept {
  posix_fadvise(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
}

std::int64_t modified_ns(const struct stat& status) noexcept {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace cistern::sys
