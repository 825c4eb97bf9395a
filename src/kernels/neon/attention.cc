// Attention in float32 for neon. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/attention_table.h"

namespace cistern::kernels {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::size_t kVectorFloats = 4;
// 16 of 32 registers hold sums.
constexpr std::size_t kRegisterRows = 4;
constexpr std::size_t kRegisterVectors = 4;

}  // namespace
}  // namespace cistern::kernels

namespace cistern::kernels {
namespace {

typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector multiply_add(const Vector& a, const Vector& b, const Vector& c) noexcept {
  return vfmaq_f32(c, a, b);
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/attention_f32.h"

namespace cistern::kernels {

const AttentionKernels* attention_neon() noexcept {
  return &kAttention;
}

}  // namespace cistern::kernels
