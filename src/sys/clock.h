// Monotonic time for measuring: seconds since an arbitrary start, never set back. Thread-safe, no state.
#pragma once

#include <chrono>

namespace cistern::sys {

inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace cistern::sys
