// A hint to the processor inside a busy-wait loop: leaves the core's resources to the other hardware thread.
// Defined per processor in x86/ and arm64/. Used by thread_pool.cc.
#pragma once

namespace cistern::sys {

void spin_pause() noexcept;

}  // namespace cistern::sys
