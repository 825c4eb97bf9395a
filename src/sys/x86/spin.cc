#include "sys/spin.h"

namespace cistern::sys {

void spin_pause() noexcept {
  __builtin_ia32_pause();
}

}  // namespace cistern::sys
