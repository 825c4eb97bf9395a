// Attention in float32 for scalar. The blank lines between the includes keep their order.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "kernels/attention_table.h"

namespace cistern::kernels {
namespace {

// 8 of 16 registers (SSE2) hold sums.
constexpr std::size_t kRegisterRows = 2;
constexpr std::size_t kRegisterVectors = 4;

}  // namespace
}  // namespace cistern::kernels

#include "kernels/scalar/float_vector.h"

#include "kernels/generic/attention_f32.h"

namespace cistern::kernels {

const AttentionKernels* attention_scalar() noexcept {
  return &kAttention;
}

}  // namespace cistern::kernels
