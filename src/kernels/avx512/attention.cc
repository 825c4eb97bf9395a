// Attention in float32 for avx512. The blank lines between the includes keep their order.
#include <immintrin.h>

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

#include "kernels/avx512/region_begin.h"

#include "kernels/avx512/float_vector.h"

#include "kernels/generic/attention_f32.h"

#include "kernels/avx512/region_end.h"

namespace cistern::kernels {

const AttentionKernels* attention_avx512() noexcept {
  return &kAttention;
}

}  // namespace cistern::kernels
