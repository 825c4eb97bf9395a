// Integer matrix products at the processor's baseline: the reference that every other ISA equals bit for bit.
// The blank lines keep the order of the includes.
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

#include "kernels/scalar/lanes.h"

#include "kernels/scalar/int8.h"

#include "kernels/generic/dot_int8.h"

#include "kernels/generic/step_sums.h"

#include "kernels/generic/multiply_int8.h"

#include "kernels/generic/int8_formats.h"

namespace cistern::kernels {

void overlay_scalar_int8(KernelTable& table) noexcept {
  overlay_int8(table);
}

}  // namespace cistern::kernels
