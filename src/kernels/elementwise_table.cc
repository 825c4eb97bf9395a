#include "kernels/elementwise_table.h"

#include "base/check.h"

namespace cistern::kernels {
namespace {

const ElementwiseKernels* find(sys::Isa isa) noexcept {
  switch (isa) {
    case sys::Isa::kAvx2:
    case sys::Isa::kAvx2Vnni:
      return elementwise_avx2();
    case sys::Isa::kAvx512:
    case sys::Isa::kAvx512Bf16:
      return elementwise_avx512();
    case sys::Isa::kNeon:
    case sys::Isa::kNeonDotprod:
      return elementwise_neon();
    case sys::Isa::kScalar:
      break;
  }
  return elementwise_scalar();
}

}  // namespace

const ElementwiseKernels& elementwise_kernels(sys::Isa isa) noexcept {
  const ElementwiseKernels* kernels = find(isa);
  CISTERN_CHECK(kernels != nullptr);
  return *kernels;
}

}  // namespace cistern::kernels
