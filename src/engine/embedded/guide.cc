#include "engine/embedded/guide.h"

// Defined in guide.S: the first byte of the file and the one behind its last.
extern "C" const std::byte cistern_guide_begin[];
extern "C" const std::byte cistern_guide_end[];

namespace cistern::engine {

std::span<const std::byte> guide_model() noexcept {
  return {cistern_guide_begin, cistern_guide_end};
}

}  // namespace cistern::engine
