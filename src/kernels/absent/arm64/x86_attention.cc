// On arm64 there are no x86 kernels.
#include "kernels/attention_table.h"

namespace cistern::kernels {

const AttentionKernels* attention_avx2() noexcept {
  return nullptr;
}
const AttentionKernels* attention_avx512() noexcept {
  return nullptr;
}
const AttentionKernels* attention_avx512_bf16() noexcept {
  return nullptr;
}

}  // namespace cistern::kernels
