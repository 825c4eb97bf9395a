// The short causal convolution before a recurrent block: every channel of a token is a weighted sum of that
// channel in the last `width` tokens, then SiLU. Called by model/. The inputs that later tokens see are kept
// in a state of the caller's, so a result does not depend on how a sequence is cut into chunks.
#pragma once

#include <cstdint>
#include <span>

#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

inline constexpr std::uint64_t kMaxConvWidth = 8;

// Floats of state: the last width - 1 inputs of each channel.
constexpr std::uint64_t conv_state_floats(std::uint64_t width, std::uint64_t channels) noexcept {
  return (width - 1) * channels;
}

struct CausalConv {
  TensorView x;            // f32 (channels, tokens); becomes the result
  WeightView weight;       // f32 (width, channels), that of the newest token last
  std::span<float> state;  // conv_state_floats, zeros before the first token
};

// x[t, c] = silu(sum over j of weight[c, j] * x[t - width + 1 + j, c]). REQUIRES: 2 <= width <=
// kMaxConvWidth.
void causal_conv(const Exec& exec, const CausalConv& conv);

}  // namespace cistern::ops
