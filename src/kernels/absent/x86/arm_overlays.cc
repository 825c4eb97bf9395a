// On x86-64 there are no arm kernels.
#include "kernels/overlays.h"

namespace cistern::kernels {

void overlay_neon(KernelTable&) noexcept {}
void overlay_neon_dotprod(KernelTable&) noexcept {}
void overlay_neon_i8mm(KernelTable&) noexcept {}

}  // namespace cistern::kernels
