// What avx2-vnni can do at most. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

#include "kernels/avx2_vnni/region_begin.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

std::uint32_t run_vpdpbusd(std::uint64_t rounds) noexcept {
  const __m256i a = _mm256_set1_epi8(3);
  const __m256i b = _mm256_set1_epi8(-5);
  return run_chains<__m256i, 12>(rounds,
                                 [=](__m256i sum) noexcept { return _mm256_dpbusd_avx_epi32(sum, a, b); });
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx2_vnni/region_end.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_avx2_vnni() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kAvx2Vnni, Arithmetic::kInt8, "vpdpbusd ymm", 12 * 32, run_vpdpbusd},
  };
  return kLoops;
}

}  // namespace cistern::kernels
