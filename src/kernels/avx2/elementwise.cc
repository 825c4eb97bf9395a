// Activations, rope and conversions for avx2. The blank lines between the includes keep their order.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/elementwise_table.h"

#include "kernels/avx2/region_begin.h"

#include "kernels/avx2/float_vector.h"

#include "kernels/generic/elementwise.h"

#include "kernels/avx2/region_end.h"

namespace cistern::kernels {

const ElementwiseKernels* elementwise_avx2() noexcept {
  return &kElementwise;
}

}  // namespace cistern::kernels
