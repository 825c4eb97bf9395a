// Integer matrix products for neon-dotprod. The blank lines keep the order of the includes: a bracket, what
// it holds, its end.
#include <arm_neon.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels/kernel_table.h"
#include "kernels/overlays.h"
#include "quant/codebooks.h"

#include "kernels/neon_dotprod/region_begin.h"

#include "kernels/neon/lanes.h"

#include "kernels/neon_dotprod/int8.h"

#include "kernels/generic/dot_int8.h"

#include "kernels/generic/step_sums.h"

#include "kernels/generic/multiply_int8.h"

#include "kernels/generic/int8_formats.h"

#include "kernels/neon_dotprod/region_end.h"

namespace cistern::kernels {

void overlay_neon_dotprod(KernelTable& table) noexcept {
  overlay_int8(table);
}

}  // namespace cistern::kernels
