// 2^x on vectors of floats, written over the Vector of an ISA's float_vector.h, which comes before it.
// Included inside target regions by the files of generic/. Not a public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cistern::kernels {
namespace {

typedef std::int32_t IntVector __attribute__((vector_size(kVectorFloats * sizeof(std::int32_t))));

// Within 2 ulp for x in [-126, 127]; 0 below, also for -infinity; infinity above; NaN stays NaN. The fraction
// is in [-0.5, 0.5], its power a minimax polynomial of degree 6 (relative error 1.9e-9).
inline Vector exp2(Vector x) noexcept {
  const Vector low = Vector{} - 127.0F;
  const Vector high = Vector{} + 128.0F;
  x = x < low ? low : x;
  x = x > high ? high : x;
  const Vector shift = Vector{} + 0x1.8p23F;  // rounds to a whole number, which lies in the low bits
  const Vector shifted = x + shift;
  const Vector f = x - (shifted - shift);
  Vector y = Vector{} + 0.000153458124F;
  y = multiply_add(y, f, Vector{} + 0.00133999309F);
  y = multiply_add(y, f, Vector{} + 0.00961848907F);
  y = multiply_add(y, f, Vector{} + 0.0555032864F);
  y = multiply_add(y, f, Vector{} + 0.240226462F);
  y = multiply_add(y, f, Vector{} + 0.693147182F);
  y = multiply_add(y, f, Vector{} + 1.0F);
  // The power of two as exponent bits: 0 for -127, infinity for 128.
  IntVector whole;
  std::memcpy(&whole, &shifted, sizeof whole);
  const IntVector bits = (whole + 127) << 23;
  Vector power;
  std::memcpy(&power, &bits, sizeof power);
  return y * power;
}

}  // namespace
}  // namespace cistern::kernels
