// Integer matrix products for neon-i8mm. The blank lines keep the order of the includes: a bracket, what
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

#include "kernels/neon_i8mm/region_begin.h"

#include "kernels/neon/lanes.h"

#include "kernels/neon_i8mm/int8.h"

#include "kernels/generic/dot_int8.h"

#include "kernels/neon_i8mm/step_sums.h"

#include "kernels/generic/multiply_int8.h"

#include "kernels/generic/int8_formats.h"

#include "kernels/neon_i8mm/region_end.h"

namespace cistern::kernels {

void overlay_neon_i8mm(KernelTable& table) noexcept {
  overlay_int8(table);
}

}  // namespace cistern::kernels
