// Float kernels for avx512. The blank lines between the three includes keep their order: a bracket, what it
// holds, its end.
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/overlays.h"

#include "kernels/avx512/region_begin.h"

#include "kernels/generic/f32_kernels.h"

#include "kernels/avx512/region_end.h"

namespace cistern::kernels {

void overlay_avx512(KernelTable& table) noexcept {
  overlay_f32(table);
}

}  // namespace cistern::kernels
