// Attention in float32 for scalar. The blank lines between the includes keep their order: a bracket, what it
// holds, its end.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/attention_table.h"

namespace cistern::kernels {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr std::size_t kVectorFloats = 4;
// 8 of 16 registers (SSE2) hold sums.
constexpr std::size_t kRegisterRows = 2;
constexpr std::size_t kRegisterVectors = 4;

}  // namespace
}  // namespace cistern::kernels

namespace cistern::kernels {
namespace {

typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector multiply_add(const Vector& a, const Vector& b, const Vector& c) noexcept {
  return a * b + c;
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/attention_f32.h"

namespace cistern::kernels {

const AttentionKernels* attention_scalar() noexcept {
  return &kAttention;
}

}  // namespace cistern::kernels
