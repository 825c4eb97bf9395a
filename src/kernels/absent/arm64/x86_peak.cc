// On arm64 there are no x86 instructions to measure.
#include "kernels/peak_loops.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_avx2() noexcept {
  return {};
}
std::span<const PeakLoop> peak_loops_avx2_vnni() noexcept {
  return {};
}
std::span<const PeakLoop> peak_loops_avx512() noexcept {
  return {};
}
std::span<const PeakLoop> peak_loops_avx512_bf16() noexcept {
  return {};
}
std::span<const ReadLoop> read_loops_avx2() noexcept {
  return {};
}
std::span<const ReadLoop> read_loops_avx512() noexcept {
  return {};
}

}  // namespace cistern::kernels
