#include "sys/arm64/features.h"

#include <asm/hwcap.h>
#include <sys/auxv.h>

namespace cistern::sys {

bool has_dot_product() noexcept {
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}

bool has_matrix_product() noexcept {
  return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
}

}  // namespace cistern::sys
