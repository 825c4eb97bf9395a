#include "sys/spin.h"

namespace cistern::sys {

void spin_pause() noexcept {
  asm volatile("yield");
}

}  // namespace cistern::sys
