// Activations, rope and conversions for neon. The blank lines between the includes keep their order.
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/elementwise_table.h"

#include "kernels/neon/float_vector.h"

#include "kernels/generic/elementwise.h"

namespace cistern::kernels {

const ElementwiseKernels* elementwise_neon() noexcept {
  return &kElementwise;
}

}  // namespace cistern::kernels
