// arm64 has NEON at its baseline: the scalar build of the generic kernels uses it already. Only attention,
// which multiplies and adds in one step, has its own.
#include "kernels/overlays.h"

namespace cistern::kernels {

void overlay_neon(KernelTable&) noexcept {}

}  // namespace cistern::kernels
