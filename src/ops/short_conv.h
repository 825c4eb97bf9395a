// The short convolution of recurrent layers: each channel is filtered over the tokens of one sequence,
// causally, with the last inputs carried from step to step. Called by the blocks of model/, sequence by
// sequence. Split over threads by channels; a value depends on its own channel's inputs only, taken from the
// oldest on, so however the tokens are cut into steps, the bits are the same.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ops/exec.h"
#include "tensor/view.h"

namespace cistern::ops {

inline constexpr std::uint64_t kMaxConvWidth = 8;

// Floats of state: the last width - 1 inputs of each channel.
constexpr std::uint64_t conv_state_floats(std::uint64_t width, std::uint64_t channels) noexcept {
  return (width - 1) * channels;
}

// out[t, c] = sum over k < width of kernel[c, k] * x[t - width + 1 + k, c] (+ bias[c]); before the first
// token of the call stand the inputs in `state`, which is left as the next call needs it. Channel c is column
// x_col + c of x and out_col + c of out; x and out may be the same.
struct ShortConv {
  TensorView x;  // f32 (any columns, tokens)
  std::uint64_t x_col = 0;
  WeightView kernel;  // f32 (width, channels); 2 <= width <= kMaxConvWidth; the last value meets the present
  WeightView bias;    // f32 (channels), or no data
  bool silu = false;  // of the sum
  // First columns of gates in the rows of x: they multiply what goes in, and what comes out.
  std::optional<std::uint64_t> input_gate_col;
  std::optional<std::uint64_t> output_gate_col;
  std::span<float> state;  // (channels, width - 1): the last inputs of all channels, the oldest first
  TensorView out;          // f32 (any columns, tokens)
  std::uint64_t out_col = 0;
};
void short_conv(const Exec& exec, const ShortConv& conv);

}  // namespace cistern::ops
