#include "sys/cpu_features.h"

#include "sys/arm64/features.h"

namespace cistern::sys {

// Advanced SIMD is part of every arm64 that runs a general-purpose operating system.
bool host_has(Isa isa) noexcept {
  if (isa == Isa::kNeonDotprod) return has_dot_product();
  if (isa == Isa::kNeonI8mm) return has_dot_product() && has_matrix_product();
  return isa == Isa::kScalar || isa == Isa::kNeon;
}

}  // namespace cistern::sys
