// Attention in float32 for avx2. The blank lines between the includes keep their order.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention_table.h"

namespace cistern::kernels {
namespace {

// 8 of 16 registers hold sums.
constexpr std::size_t kRegisterRows = 4;
constexpr std::size_t kRegisterVectors = 2;

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx2/region_begin.h"

#include "kernels/avx2/float_vector.h"

#include "kernels/generic/attention_f32.h"

#include "kernels/avx2/region_end.h"

namespace cistern::kernels {

const AttentionKernels* attention_avx2() noexcept {
  return &kAttention;
}

}  // namespace cistern::kernels
