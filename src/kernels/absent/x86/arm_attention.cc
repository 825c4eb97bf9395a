// On x86-64 there are no arm kernels.
#include "kernels/attention_table.h"

namespace cistern::kernels {

const AttentionKernels* attention_neon() noexcept {
  return nullptr;
}

}  // namespace cistern::kernels
