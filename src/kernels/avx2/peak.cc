// What avx2 can do at most. The blank lines between the includes keep their order: a bracket, what it holds,
// its end.
#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

#include "kernels/avx2/region_begin.h"

namespace cistern::kernels {
namespace {
constexpr std::size_t kReadVectorBytes = 32;
}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/read_streams.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

// 16 registers: 12 chains and their operands.
constexpr std::size_t kChains = 12;
constexpr std::size_t kNarrowChains = 4;
constexpr int kNarrowProducts = 8;

std::uint32_t run_fma(std::uint64_t rounds) noexcept {
  const __m256 a = _mm256_set1_ps(peak_factor());
  return run_chains<__m256, kChains>(rounds, [=](__m256 sum) noexcept { return _mm256_fmadd_ps(a, a, sum); });
}

// Sums of pairs go to 32 bits at once, as full 8-bit values need it.
std::uint32_t run_vpmaddubsw(std::uint64_t rounds) noexcept {
  const __m256i b = _mm256_set1_epi8(-5);
  const __m256i ones = _mm256_set1_epi16(1);
  return run_chains<__m256i, kChains>(rounds, [=](__m256i sum) noexcept {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(sum, b), ones));
  });
}

// Sums of eight pairs are made in 16 bits first: enough for weights of up to four bits.
std::uint32_t run_vpmaddubsw_narrow(std::uint64_t rounds) noexcept {
  const __m256i b = _mm256_set1_epi8(-5);
  const __m256i ones = _mm256_set1_epi16(1);
  return run_chains<__m256i, kNarrowChains>(rounds, [=](__m256i sum) noexcept {
    __m256i pairs = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int i = 0; i < kNarrowProducts; ++i) {
      __m256i a = ones;
      asm volatile("" : "+x"(a));  // another value each time, for all that the compiler knows
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(a, b));
    }
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
  });
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx2/region_end.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_avx2() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kAvx2, Arithmetic::kInt8, "vpmaddubsw + vpmaddwd ymm", 12 * 32, run_vpmaddubsw},
      PeakLoop{sys::Isa::kAvx2, Arithmetic::kInt8, "8 vpmaddubsw + vpmaddwd ymm",
               kNarrowChains * kNarrowProducts * 32, run_vpmaddubsw_narrow},
      PeakLoop{sys::Isa::kAvx2, Arithmetic::kFloat, "vfmadd ymm", 12 * 8, run_fma},
  };
  return kLoops;
}

std::span<const ReadLoop> read_loops_avx2() noexcept {
  static constexpr std::array kLoops = {
      read_loop<1>(sys::Isa::kAvx2, false),  read_loop<2>(sys::Isa::kAvx2, false),
      read_loop<4>(sys::Isa::kAvx2, false),  read_loop<8>(sys::Isa::kAvx2, false),
      read_loop<16>(sys::Isa::kAvx2, false), read_loop<1>(sys::Isa::kAvx2, true),
      read_loop<2>(sys::Isa::kAvx2, true),   read_loop<4>(sys::Isa::kAvx2, true),
      read_loop<8>(sys::Isa::kAvx2, true),   read_loop<16>(sys::Isa::kAvx2, true),
  };
  return kLoops;
}

}  // namespace cistern::kernels
