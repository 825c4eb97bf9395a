#include "kernels/attention_table.h"

#include "base/check.h"

namespace cistern::kernels {
namespace {

const AttentionKernels* float_kernels(sys::Isa isa) noexcept {
  switch (isa) {
    case sys::Isa::kAvx2:
    case sys::Isa::kAvx2Vnni:
      return attention_avx2();
    case sys::Isa::kAvx512:
    case sys::Isa::kAvx512Bf16:
      return attention_avx512();
    case sys::Isa::kNeon:
    case sys::Isa::kNeonDotprod:
      return attention_neon();
    case sys::Isa::kScalar:
      break;
  }
  return attention_scalar();
}

}  // namespace

const AttentionKernels& attention_kernels(sys::Isa isa, DType type) noexcept {
  // A cache of floats was asked for to be exact: bfloat16 would round it.
  const bool bf16 = isa == sys::Isa::kAvx512Bf16 && type != DType::kF32;
  const AttentionKernels* kernels = bf16 ? attention_avx512_bf16() : float_kernels(isa);
  CISTERN_CHECK(kernels != nullptr);
  return *kernels;
}

}  // namespace cistern::kernels
