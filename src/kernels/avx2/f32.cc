// Float kernels for avx2. The blank lines between the three includes keep their order: a bracket, what it
// holds, its end.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/overlays.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kVectorFloats = 8;
// 8 of 16 registers hold sums.
constexpr int kRegisterRows = 2;
constexpr int kRegisterTokens = 2;

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx2/region_begin.h"

#include "kernels/generic/f32_kernels.h"

#include "kernels/avx2/region_end.h"

namespace cistern::kernels {

void overlay_avx2(KernelTable& table) noexcept {
  overlay_f32(table);
  overlay_avx2_int8(table);
}

}  // namespace cistern::kernels
