// What neon can do at most. The blank lines between the includes keep their order: a bracket, what it holds,
// its end.
#include <arm_neon.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

std::uint32_t run_fmla(std::uint64_t rounds) noexcept {
  const float32x4_t a = vdupq_n_f32(peak_factor());
  return run_chains<float32x4_t, 16>(rounds, [=](float32x4_t sum) noexcept { return vfmaq_f32(sum, a, a); });
}

std::uint32_t run_smlal(std::uint64_t rounds) noexcept {
  const int8x8_t a = vdup_n_s8(-5);
  return run_chains<int32x4_t, 16>(rounds, [=](int32x4_t sum) noexcept {
    return vpadalq_s16(sum, vmull_s8(vreinterpret_s8_s32(vget_low_s32(sum)), a));
  });
}

}  // namespace

std::span<const PeakLoop> peak_loops_neon() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kNeon, Arithmetic::kInt8, "smull + sadalp", 16 * 8, run_smlal},
      PeakLoop{sys::Isa::kNeon, Arithmetic::kFloat, "fmla", 16 * 4, run_fmla},
  };
  return kLoops;
}

}  // namespace cistern::kernels
