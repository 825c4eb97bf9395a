// On x86-64 there are no arm instructions to measure.
#include "kernels/peak_loops.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_neon() noexcept {
  return {};
}
std::span<const PeakLoop> peak_loops_neon_dotprod() noexcept {
  return {};
}
std::span<const PeakLoop> peak_loops_neon_i8mm() noexcept {
  return {};
}

}  // namespace cistern::kernels
