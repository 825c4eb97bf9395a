// What neon-i8mm can do at most. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <arm_neon.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

#include "kernels/neon_i8mm/region_begin.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

std::uint32_t run_usmmla(std::uint64_t rounds) noexcept {
  const uint8x16_t a = vdupq_n_u8(5);
  const int8x16_t b = vdupq_n_s8(-5);
  return run_chains<int32x4_t, 16>(rounds, [=](int32x4_t sum) noexcept { return vusmmlaq_s32(sum, a, b); });
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/neon_i8mm/region_end.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_neon_i8mm() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kNeonI8mm, Arithmetic::kInt8, "usmmla", 16 * 32, run_usmmla},
  };
  return kLoops;
}

}  // namespace cistern::kernels
