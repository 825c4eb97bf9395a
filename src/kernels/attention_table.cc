#include "kernels/attention_table.h"

#include "base/check.h"
#include "kernels/float_level.h"

namespace cistern::kernels {
const AttentionKernels& attention_kernels(sys::Isa isa, DType type) noexcept {
  // A cache of floats was asked for to be exact: bfloat16 would round it.
  const bool bf16 = isa == sys::Isa::kAvx512Bf16 && type != DType::kF32;
  const FloatLevels<AttentionKernels> floats{attention_scalar(), attention_avx2(), attention_avx512(),
                                             attention_neon()};
  const AttentionKernels* kernels = bf16 ? attention_avx512_bf16() : floats.of(isa);
  CISTERN_CHECK(kernels != nullptr);
  return *kernels;
}

}  // namespace cistern::kernels
