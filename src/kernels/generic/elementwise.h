// The kernels of elementwise_table.h over vectors, included by one source file per ISA inside that ISA's
// target region and after its float_vector.h. What does not fill a vector goes through a padded copy, so that
// every value is computed alike. Everything has internal linkage. Not a public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/elementwise_table.h"
#include "kernels/generic/exp.h"

namespace cistern::kernels {
namespace {

constexpr float kLog2E = 1.44269504F;

// The first n floats, n <= kVectorFloats; zeros after them.
inline Vector load_some(const float* p, std::size_t n) noexcept {
  Vector v = {};
  std::memcpy(&v, p, (n < kVectorFloats ? n : kVectorFloats) * sizeof(float));
  return v;
}

inline void store_some(float* p, const Vector& v, std::size_t n) noexcept {
  std::memcpy(p, &v, (n < kVectorFloats ? n : kVectorFloats) * sizeof(float));
}

inline Vector load_whole(const float* p) noexcept {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline void store_whole(float* p, const Vector& v) noexcept {
  std::memcpy(p, &v, sizeof v);
}

}  // namespace
}  // namespace cistern::kernels

#include "kernels/generic/delta_rule.h"

namespace cistern::kernels {
namespace {

// x / (1 + e^-y)
inline Vector times_sigmoid(const Vector& x, const Vector& y) noexcept {
  return x / (1.0F + exp2(y * -kLog2E));
}

// Each function's factor and what it makes of `up`.
struct KeepUp {
  static Vector up(const Vector& y, float) noexcept { return y; }
};

struct Sigmoid : KeepUp {
  static Vector of(const Vector& x, float) noexcept { return 1.0F / (1.0F + exp2(x * -kLog2E)); }
};

struct Silu : KeepUp {
  static Vector of(const Vector& x, float) noexcept { return times_sigmoid(x, x); }
};

// 0.5 (1 + tanh(u)) = 1 / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3).
struct GeluTanh : KeepUp {
  static Vector of(const Vector& x, float) noexcept {
    constexpr float kTwiceSqrt2OverPi = 1.5957691216F;
    return times_sigmoid(x, kTwiceSqrt2OverPi * (x + 0.044715F * x * x * x));
  }
};

inline Vector smaller(const Vector& x, float limit) noexcept {
  return x < limit ? x : Vector{} + limit;
}

inline Vector clamped(const Vector& x, float limit) noexcept {
  const Vector y = smaller(x, limit);
  return y > -limit ? y : Vector{} - limit;
}

// x (1 + erf(x / sqrt 2)) / 2, erf by Abramowitz & Stegun 7.1.26, exact to 1.5e-7.
struct GeluErf : KeepUp {
  static Vector of(const Vector& x, float) noexcept {
    constexpr float kSqrtHalf = 0.70710678F;
    const Vector a = (x < 0.0F ? -x : x) * kSqrtHalf;
    const Vector t = 1.0F / (1.0F + 0.3275911F * a);
    const Vector poly =
        t *
        (0.254829592F + t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
    const Vector tail = poly * exp2(a * a * -kLog2E);  // 1 - erf(a)
    return x * 0.5F * (x < 0.0F ? tail : 2.0F - tail);
  }
};

struct ReluSquared : KeepUp {
  static Vector of(const Vector& x, float) noexcept {
    const Vector y = x > 0.0F ? x : Vector{};
    return y * y;
  }
};

struct SwigluOai {
  static Vector of(const Vector& x, float limit) noexcept {
    const Vector g = smaller(x, limit);
    return times_sigmoid(g, g * 1.702F);
  }
  static Vector up(const Vector& y, float limit) noexcept { return clamped(y, limit) + 1.0F; }
};

struct SiluClamped {
  static Vector of(const Vector& x, float limit) noexcept {
    const Vector g = smaller(x, limit);
    return times_sigmoid(g, g);
  }
  static Vector up(const Vector& y, float limit) noexcept { return clamped(y, limit); }
};

template <class Function>
void gate_row(const float* gate, const float* up, float* out, std::size_t n, float limit) noexcept {
  std::size_t i = 0;
  if (up == nullptr) {
    for (; i + kVectorFloats <= n; i += kVectorFloats)
      store_whole(out + i, Function::of(load_whole(gate + i), limit));
    if (i < n) store_some(out + i, Function::of(load_some(gate + i, n - i), limit), n - i);
    return;
  }
  for (; i + kVectorFloats <= n; i += kVectorFloats) {
    store_whole(out + i, Function::of(load_whole(gate + i), limit) * Function::up(load_whole(up + i), limit));
  }
  if (i < n) {
    store_some(
        out + i,
        Function::of(load_some(gate + i, n - i), limit) * Function::up(load_some(up + i, n - i), limit),
        n - i);
  }
}

// tanh(y) = 1 - 2 / (1 + e^2y)
inline Vector cap_of(const Vector& x, float cap) noexcept {
  return (1.0F - 2.0F / (1.0F + exp2(x * (2 * kLog2E / cap)))) * cap;
}

void softcap(float cap, float* x, std::size_t n) noexcept {
  std::size_t i = 0;
  for (; i + kVectorFloats <= n; i += kVectorFloats) store_whole(x + i, cap_of(load_whole(x + i), cap));
  if (i < n) store_some(x + i, cap_of(load_some(x + i, n - i), cap), n - i);
}

void rotate(float* a, float* b, const float* cosines, const float* sines, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; i += kVectorFloats) {
    const Vector x = load_some(a + i, n - i), y = load_some(b + i, n - i);
    const Vector c = load_some(cosines + i, n - i), s = load_some(sines + i, n - i);
    store_some(a + i, x * c - y * s, n - i);
    store_some(b + i, x * s + y * c, n - i);
  }
}

typedef std::uint64_t Pairs __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline Vector swap_neighbours(const Vector& v) noexcept {
  Pairs pairs;
  std::memcpy(&pairs, &v, sizeof pairs);
  pairs = (pairs << 32) | (pairs >> 32);
  Vector swapped;
  std::memcpy(&swapped, &pairs, sizeof swapped);
  return swapped;
}

void rotate_neighbours(float* x, const float* cosines, const float* sines, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; i += kVectorFloats) {
    const Vector v = load_some(x + i, n - i);
    const Vector c = load_some(cosines + i, n - i), s = load_some(sines + i, n - i);
    store_some(x + i, v * c + swap_neighbours(v) * s, n - i);
  }
}

void to_half(const float* x, std::uint16_t* out, std::size_t n) noexcept {
  std::size_t i = 0;
  for (; i + kVectorFloats <= n; i += kVectorFloats) store_half(out + i, load_whole(x + i));
  if (i == n) return;
  std::uint16_t some[kVectorFloats];
  store_half(some, load_some(x + i, n - i));
  std::memcpy(out + i, some, (n - i) * sizeof(std::uint16_t));
}

void from_half(const std::byte* halves, float* out, std::size_t n) noexcept {
  std::size_t i = 0;
  for (; i + kVectorFloats <= n; i += kVectorFloats) store_whole(out + i, load_half(halves + 2 * i));
  if (i == n) return;
  std::byte some[2 * kVectorFloats] = {};
  std::memcpy(some, halves + 2 * i, 2 * (n - i));
  store_some(out + i, load_half(some), n - i);
}

constexpr ElementwiseKernels kElementwise = {
    .gate = {gate_row<Sigmoid>, gate_row<Silu>, gate_row<GeluTanh>, gate_row<GeluErf>, gate_row<ReluSquared>,
             gate_row<SwigluOai>, gate_row<SiluClamped>},
    .softcap = softcap,
    .rotate = rotate,
    .rotate_neighbours = rotate_neighbours,
    .to_half = to_half,
    .from_half = from_half,
    .delta_rule = delta_rule};

}  // namespace
}  // namespace cistern::kernels
