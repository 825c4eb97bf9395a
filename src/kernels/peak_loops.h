// The loops that each ISA folder has, for peak_table.cc to put together. A folder that the build leaves out
// for this processor has its absence in absent/.
#pragma once

#include <span>

#include "kernels/peak_table.h"

namespace cistern::kernels {

std::span<const PeakLoop> peak_loops_scalar() noexcept;
std::span<const PeakLoop> peak_loops_avx2() noexcept;
std::span<const PeakLoop> peak_loops_avx2_vnni() noexcept;
std::span<const PeakLoop> peak_loops_avx512() noexcept;
std::span<const PeakLoop> peak_loops_avx512_bf16() noexcept;
std::span<const PeakLoop> peak_loops_neon() noexcept;
std::span<const PeakLoop> peak_loops_neon_dotprod() noexcept;
std::span<const PeakLoop> peak_loops_neon_i8mm() noexcept;

std::span<const ReadLoop> read_loops_scalar() noexcept;  // and neon, whose loads are in the baseline
std::span<const ReadLoop> read_loops_avx2() noexcept;
std::span<const ReadLoop> read_loops_avx512() noexcept;

}  // namespace cistern::kernels
