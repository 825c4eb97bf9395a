#include "sys/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace cistern::sys {

std::size_t raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  constexpr rlim_t kEnough = 1 << 20;
  // macOS may refuse what its own hard limit allows; its kernel takes this many.
  constexpr rlim_t kModest = 10'240;
  for (const rlim_t wanted : {std::min(limit.rlim_max, kEnough), std::min(limit.rlim_max, kModest)}) {
    const rlimit raised{.rlim_cur = wanted, .rlim_max = limit.rlim_max};
    if (wanted > limit.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  }
  return limit.rlim_cur;
}

}  // namespace cistern::sys
