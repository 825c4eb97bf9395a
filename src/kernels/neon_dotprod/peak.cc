// What neon-dotprod can do at most. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <arm_neon.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

#include "kernels/neon_dotprod/region_begin.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

std::uint32_t run_sdot(std::uint64_t rounds) noexcept {
  const int8x16_t a = vdupq_n_s8(-5);
  return run_chains<int32x4_t, 16>(rounds, [=](int32x4_t sum) noexcept { return vdotq_s32(sum, a, a); });
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/neon_dotprod/region_end.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_neon_dotprod() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kNeonDotprod, Arithmetic::kInt8, "sdot", 16 * 16, run_sdot},
  };
  return kLoops;
}

}  // namespace cistern::kernels
