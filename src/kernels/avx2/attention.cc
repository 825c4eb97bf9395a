// Attention in float32 for avx2. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/attention_table.h"

namespace cistern::kernels {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::size_t kVectorFloats = 8;
// 8 of 16 registers hold sums.
constexpr std::size_t kRegisterRows = 4;
constexpr std::size_t kRegisterVectors = 2;

}  // namespace
}  // namespace cistern::kernels

#include "kernels/avx2/region_begin.h"

namespace cistern::kernels {
namespace {

typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector multiply_add(const Vector& a, const Vector& b, const Vector& c) noexcept {
  return a * b + c;
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/attention_f32.h"

#include "kernels/avx2/region_end.h"

namespace cistern::kernels {

const AttentionKernels* attention_avx2() noexcept {
  return &kAttention;
}

}  // namespace cistern::kernels
