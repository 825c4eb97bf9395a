// What avx512 can do at most. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

#include "kernels/avx512/region_begin.h"

namespace cistern::kernels {
namespace {
constexpr std::size_t kReadVectorBytes = 64;
}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/read_streams.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

std::uint32_t run_vpdpbusd(std::uint64_t rounds) noexcept {
  const __m512i a = _mm512_set1_epi8(3);
  const __m512i b = _mm512_set1_epi8(-5);
  return run_chains<__m512i, 16>(rounds,
                                 [=](__m512i sum) noexcept { return _mm512_dpbusd_epi32(sum, a, b); });
}

std::uint32_t run_fma(std::uint64_t rounds) noexcept {
  const __m512 a = _mm512_set1_ps(peak_factor());
  return run_chains<__m512, 16>(rounds, [=](__m512 sum) noexcept { return _mm512_fmadd_ps(a, a, sum); });
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx512/region_end.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_avx512() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kAvx512, Arithmetic::kInt8, "vpdpbusd zmm", 16 * 64, run_vpdpbusd},
      PeakLoop{sys::Isa::kAvx512, Arithmetic::kFloat, "vfmadd zmm", 16 * 16, run_fma},
  };
  return kLoops;
}

std::span<const ReadLoop> read_loops_avx512() noexcept {
  static constexpr std::array kLoops = {
      read_loop<1>(sys::Isa::kAvx512, false),  read_loop<2>(sys::Isa::kAvx512, false),
      read_loop<4>(sys::Isa::kAvx512, false),  read_loop<8>(sys::Isa::kAvx512, false),
      read_loop<16>(sys::Isa::kAvx512, false), read_loop<1>(sys::Isa::kAvx512, true),
      read_loop<2>(sys::Isa::kAvx512, true),   read_loop<4>(sys::Isa::kAvx512, true),
      read_loop<8>(sys::Isa::kAvx512, true),   read_loop<16>(sys::Isa::kAvx512, true),
  };
  return kLoops;
}

}  // namespace cistern::kernels
