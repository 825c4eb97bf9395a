// Activations, rope and conversions for scalar. The blank lines between the includes keep their order.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "kernels/elementwise_table.h"

#include "kernels/scalar/float_vector.h"

#include "kernels/generic/elementwise.h"

namespace cistern::kernels {

const ElementwiseKernels* elementwise_scalar() noexcept {
  return &kElementwise;
}

}  // namespace cistern::kernels
