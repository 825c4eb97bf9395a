// On arm64 there are no x86 kernels.
#include "kernels/overlays.h"

namespace cistern::kernels {

void overlay_avx2(KernelTable&) noexcept {}
void overlay_avx2_vnni(KernelTable&) noexcept {}
void overlay_avx512(KernelTable&) noexcept {}
void overlay_avx512_bf16(KernelTable&) noexcept {}

}  // namespace cistern::kernels
