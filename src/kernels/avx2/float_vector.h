// A vector of floats of AVX2 and what the files of generic/ need of it beside arithmetic. Included inside its
// target region.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace cistern::kernels {
namespace {

constexpr std::size_t kVectorFloats = 8;
typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector multiply_add(const Vector& a, const Vector& b, const Vector& c) noexcept {
  return _mm256_fmadd_ps(a, b, c);
}

// Rounded to nearest even, as float_to_half (base/half.h).
inline void store_half(std::uint16_t* out, const Vector& v) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

inline Vector load_half(const std::byte* p) noexcept {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

}  // namespace
}  // namespace cistern::kernels
