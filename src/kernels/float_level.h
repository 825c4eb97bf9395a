// Which level's float kernels an ISA uses: the levels that add only integer or bfloat16 arithmetic have none
// of their own. Used by the tables of this folder.
#pragma once

#include "sys/cpu_features.h"

namespace cistern::kernels {

template <class Kernels>
struct FloatLevels {
  const Kernels* scalar;
  const Kernels* avx2;  // null where the build leaves the processor out, as are the others
  const Kernels* avx512;
  const Kernels* neon;

  const Kernels* of(sys::Isa isa) const noexcept {
    switch (isa) {
      case sys::Isa::kAvx2:
      case sys::Isa::kAvx2Vnni:
        return avx2;
      case sys::Isa::kAvx512:
      case sys::Isa::kAvx512Bf16:
        return avx512;
      case sys::Isa::kNeon:
      case sys::Isa::kNeonDotprod:
      case sys::Isa::kNeonI8mm:
        return neon;
      case sys::Isa::kScalar:
        break;
    }
    return scalar;
  }
};

}  // namespace cistern::kernels
