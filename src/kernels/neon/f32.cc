// arm64 has NEON at its baseline: the scalar build of the generic float kernels uses it already, so there is
// nothing to replace until quantized kernels come.
#include "kernels/overlays.h"

namespace cistern::kernels {

void overlay_neon(KernelTable&) noexcept {}

}  // namespace cistern::kernels
