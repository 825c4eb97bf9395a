// Integer matrix products for avx2-vnni. The blank lines keep the order of the includes: a bracket, what it
// holds, its end.
#include <immintrin.h>

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

#include "kernels/avx2_vnni/region_begin.h"

#include "kernels/avx2/lanes.h"

#include "kernels/avx2_vnni/int8.h"

#include "kernels/generic/dot_int8.h"

#include "kernels/generic/step_sums.h"

#include "kernels/generic/multiply_int8.h"

#include "kernels/generic/int8_formats.h"

#include "kernels/avx2_vnni/region_end.h"

namespace cistern::kernels {

void overlay_avx2_vnni(KernelTable& table) noexcept {
  overlay_int8(table);
}

}  // namespace cistern::kernels
