// Attention in float32 for neon. The blank lines between the includes keep their order.
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention_table.h"

namespace cistern::kernels {
namespace {

// 16 of 32 registers hold sums.
constexpr std::size_t kRegisterRows = 4;
constexpr std::size_t kRegisterVectors = 4;

}  // namespace
}  // namespace cistern::kernels

#include "kernels/neon/float_vector.h"

#include "kernels/generic/attention_f32.h"

namespace cistern::kernels {

const AttentionKernels* attention_neon() noexcept {
  return &kAttention;
}

}  // namespace cistern::kernels
