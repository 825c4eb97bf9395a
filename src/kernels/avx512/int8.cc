// Integer matrix products for avx512. The blank lines keep the order of the includes: a bracket, what it
// holds, its end.
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/kernel_table.h"
#include "kernels/overlays.h"
#include "quant/codebooks.h"

#include "kernels/avx512/region_begin.h"

#include "kernels/avx512/lanes.h"

#include "kernels/avx512/int8.h"

#include "kernels/generic/dot_int8.h"

#include "kernels/generic/int8_formats.h"

#include "kernels/avx512/region_end.h"

namespace cistern::kernels {

void overlay_avx512_int8(KernelTable& table) noexcept {
  overlay_int8(table);
}

}  // namespace cistern::kernels
