#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace cistern {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: bug: CHECK(%s) failed\n", file, line, condition);
  std::abort();
}

}  // namespace cistern
