#include "sys/arm64/features.h"

#include <sys/sysctl.h>

#include <cstddef>

namespace cistern::sys {

bool has_dot_product() noexcept {
  int value = 0;
  std::size_t bytes = sizeof value;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &bytes, nullptr, 0) == 0 && value != 0;
}

}  // namespace cistern::sys
