// What the baseline can do at most. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/peak_loops.h"

namespace cistern::kernels {
namespace {
constexpr std::size_t kReadVectorBytes = 16;
}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/read_streams.h"

#include "kernels/generic/peak_chains.h"

namespace cistern::kernels {
namespace {

typedef float Floats __attribute__((vector_size(16)));
typedef std::uint16_t Words __attribute__((vector_size(16)));

std::uint32_t run_floats(std::uint64_t rounds) noexcept {
  const float factor = peak_factor();
  const Floats a = {factor, factor, factor, factor};
  // The product changes with the sum: it must not be moved out of the loop.
  return run_chains<Floats, 8>(rounds, [=](Floats sum) noexcept { return sum * a + a; });
}

// Products of integers, for want of a better common instruction in 16 bits.
std::uint32_t run_words(std::uint64_t rounds) noexcept {
  const Words a = {3, 5, 7, 9, 11, 13, 15, 17};
  return run_chains<Words, 8>(rounds, [=](Words sum) noexcept { return static_cast<Words>(sum * a + a); });
}

}  // namespace

std::span<const PeakLoop> peak_loops_scalar() noexcept {
  static constexpr std::array kLoops = {
      PeakLoop{sys::Isa::kScalar, Arithmetic::kInt8, "16-bit multiply, add", 8 * 8, run_words},
      PeakLoop{sys::Isa::kScalar, Arithmetic::kFloat, "multiply, add", 8 * 4, run_floats},
  };
  return kLoops;
}

std::span<const ReadLoop> read_loops_scalar() noexcept {
  static constexpr std::array kLoops = {
      read_loop<1>(sys::Isa::kScalar, false),  read_loop<2>(sys::Isa::kScalar, false),
      read_loop<4>(sys::Isa::kScalar, false),  read_loop<8>(sys::Isa::kScalar, false),
      read_loop<16>(sys::Isa::kScalar, false), read_loop<1>(sys::Isa::kScalar, true),
      read_loop<2>(sys::Isa::kScalar, true),   read_loop<4>(sys::Isa::kScalar, true),
      read_loop<8>(sys::Isa::kScalar, true),   read_loop<16>(sys::Isa::kScalar, true),
  };
  return kLoops;
}

}  // namespace cistern::kernels
