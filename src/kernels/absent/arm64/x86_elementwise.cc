// On arm64 there are no x86 kernels.
#include "kernels/elementwise_table.h"

namespace cistern::kernels {

const ElementwiseKernels* elementwise_avx2() noexcept {
  return nullptr;
}
const ElementwiseKernels* elementwise_avx512() noexcept {
  return nullptr;
}

}  // namespace cistern::kernels
