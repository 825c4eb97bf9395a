// Activations, rope and conversions for avx512. The blank lines between the includes keep their order.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/elementwise_table.h"

#include "kernels/avx512/region_begin.h"

#include "kernels/avx512/float_vector.h"

#include "kernels/generic/elementwise.h"

#include "kernels/avx512/region_end.h"

namespace cistern::kernels {

const ElementwiseKernels* elementwise_avx512() noexcept {
  return &kElementwise;
}

}  // namespace cistern::kernels
