#include "sys/arm64/features.h"

#include <sys/sysctl.h>

#include <cstddef>

namespace cistern::sys {
namespace {

bool has(const char* feature) noexcept {
  int value = 0;
  std::size_t bytes = sizeof value;
  return sysctlbyname(feature, &value, &bytes, nullptr, 0) == 0 && value != 0;
}

}  // namespace

bool has_dot_product() noexcept {
  return has("hw.optional.arm.FEAT_DotProd");
}

bool has_matrix_product() noexcept {
  return has("hw.optional.arm.FEAT_I8MM");
}

}  // namespace cistern::sys
