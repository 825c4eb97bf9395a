// On x86-64 there are no arm kernels.
#include "kernels/elementwise_table.h"

namespace cistern::kernels {

const ElementwiseKernels* elementwise_neon() noexcept {
  return nullptr;
}

}  // namespace cistern::kernels
