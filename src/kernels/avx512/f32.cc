// Float kernels for avx512. The blank lines between the three includes keep their order: a bracket, what it
// holds, its end.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/overlays.h"

namespace cistern::kernels {
namespace {

constexpr std::size_t kVectorFloats = 16;
// 16 of 32 registers hold sums.
constexpr int kRegisterRows = 4;
constexpr int kRegisterTokens = 4;

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx512/region_begin.h"

#include "kernels/generic/f32_kernels.h"

#include "kernels/avx512/region_end.h"

namespace cistern::kernels {

void overlay_avx512(KernelTable& table) noexcept {
  overlay_f32(table);
  overlay_avx512_int8(table);
}

}  // namespace cistern::kernels
