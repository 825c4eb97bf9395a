// The float kernels of small ops that no dot product is part of: activations, soft caps, rope, the conversion
// of new keys and values to half precision, and a token of the gated delta rule. One set per ISA, written
// once in generic/elementwise.h; each value depends on its own inputs only. Called by ops/. Immutable;
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sys/cpu_features.h"

namespace cistern::kernels {

// What multiplies `up` in a gated block. Relative errors are below 1e-6 for gates above -10, below 1e-5
// everywhere.
enum class GateFn {
  kSigmoid,      // 1 / (1 + e^-gate)
  kSilu,         // gate / (1 + e^-gate)
  kGeluTanh,     // gelu(gate) in its tanh form (Hendrycks & Gimpel 2016)
  kGeluErf,      // gelu(gate), exact to 1e-6
  kReluSquared,  // max(gate, 0)^2 (So et al. 2021)
  kSwigluOai,  // g sigmoid(1.702 g) with g = min(gate, limit); up becomes clamp(up, limit) + 1 (OpenAI 2025)
  kSiluClamped,  // silu(min(gate, limit)); up becomes clamp(up, limit)
};
inline constexpr int kGateFnCount = 7;

// A token's step of the gated delta rule (Yang et al. 2024) on a tile of a head's state: some columns of the
// values, all of the keys.
//   state[i] *= decay[i];
//   change = beta * (value - sum over i of key[i] * state[i])
//   state[i] += key[i] * change;  out = sum over i of query[i] * state[i]
inline constexpr std::size_t kDeltaColumns = 32;
struct DeltaRuleToken {
  float* state = nullptr;  // n_keys rows of kDeltaColumns
  std::size_t n_keys = 0;
  const float* query = nullptr;
  const float* key = nullptr;
  const float* decay = nullptr;  // n_keys, or 1
  bool decays_differ = false;    // there are n_keys
  float beta = 0;
  std::size_t n_columns = 0;  // of value and out, at most kDeltaColumns; those of the state after them are 0
  const float* value = nullptr;
  float* out = nullptr;
};

struct ElementwiseKernels {
  // out[i] = fn(gate[i]) * up[i]; `up` may be null: 1. out may be gate or up. `limit` is that of the last
  // two.
  using GateRow = void (*)(const float* gate, const float* up, float* out, std::size_t n,
                           float limit) noexcept;
  std::array<GateRow, kGateFnCount> gate{};
  // x[i] = cap * tanh(x[i] / cap), to cap * 2e-7.
  void (*softcap)(float cap, float* x, std::size_t n) noexcept = nullptr;
  // a[i], b[i] = a[i] cos[i] - b[i] sin[i], a[i] sin[i] + b[i] cos[i].
  void (*rotate)(float* a, float* b, const float* cosines, const float* sines,
                 std::size_t n) noexcept = nullptr;
  // The same for neighbours x[2i], x[2i + 1]; the tables have each cosine twice, and -sin[i], sin[i].
  void (*rotate_neighbours)(float* x, const float* cosines, const float* sines,
                            std::size_t n) noexcept = nullptr;
  // Rounds to nearest even, as float_to_half.
  void (*to_half)(const float* x, std::uint16_t* out, std::size_t n) noexcept = nullptr;
  // Little-endian halves, at any address; exact.
  void (*from_half)(const std::byte* halves, float* out, std::size_t n) noexcept = nullptr;
  void (*delta_rule)(const DeltaRuleToken& token) noexcept = nullptr;
};

const ElementwiseKernels& elementwise_kernels(sys::Isa isa) noexcept;

// The sets that ISA folders define; null where the build has none.
const ElementwiseKernels* elementwise_scalar() noexcept;
const ElementwiseKernels* elementwise_avx2() noexcept;
const ElementwiseKernels* elementwise_avx512() noexcept;
const ElementwiseKernels* elementwise_neon() noexcept;

}  // namespace cistern::kernels
