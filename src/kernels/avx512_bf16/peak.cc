// What avx512-bf16 can do at most. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

#include "kernels/avx512_bf16/region_begin.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

std::uint32_t run_vdpbf16ps(std::uint64_t rounds) noexcept {
  const __m512 factor = _mm512_set1_ps(peak_factor());
  const __m512bh a = _mm512_cvtne2ps_pbh(factor, factor);
  return run_chains<__m512, 16>(rounds, [=](__m512 sum) noexcept { return _mm512_dpbf16_ps(sum, a, a); });
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx512_bf16/region_end.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_avx512_bf16() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kAvx512Bf16, Arithmetic::kBf16, "vdpbf16ps zmm", 16 * 32, run_vdpbf16ps},
  };
  return kLoops;
}

}  // namespace cistern::kernels
