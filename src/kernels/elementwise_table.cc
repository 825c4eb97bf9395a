#include "kernels/elementwise_table.h"

#include "base/check.h"
#include "kernels/float_level.h"

namespace cistern::kernels {
const ElementwiseKernels& elementwise_kernels(sys::Isa isa) noexcept {
  const FloatLevels<ElementwiseKernels> levels{elementwise_scalar(), elementwise_avx2(), elementwise_avx512(),
                                               elementwise_neon()};
  const ElementwiseKernels* kernels = levels.of(isa);
  CISTERN_CHECK(kernels != nullptr);
  return *kernels;
}

}  // namespace cistern::kernels
