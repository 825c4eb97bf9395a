// What each ISA replaces in a KernelTable that starts as scalar. One function per ISA folder; a folder that
// the build leaves out for this processor has its absence in absent/. Used by kernel_table.cc only.
#pragma once

#include "kernels/kernel_table.h"

namespace cistern::kernels {

void overlay_scalar(KernelTable& table) noexcept;
void overlay_scalar_int8(KernelTable& table) noexcept;  // called by overlay_scalar
void overlay_avx2(KernelTable& table) noexcept;
void overlay_avx2_int8(KernelTable& table) noexcept;  // called by overlay_avx2
void overlay_avx2_vnni(KernelTable& table) noexcept;
void overlay_avx512(KernelTable& table) noexcept;
void overlay_avx512_int8(KernelTable& table) noexcept;  // called by overlay_avx512
void overlay_avx512_bf16(KernelTable& table) noexcept;
void overlay_neon(KernelTable& table) noexcept;
void overlay_neon_dotprod(KernelTable& table) noexcept;
void overlay_neon_i8mm(KernelTable& table) noexcept;

}  // namespace cistern::kernels
