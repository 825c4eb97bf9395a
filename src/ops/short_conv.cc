// Depthwise causal convolution as in Mamba (Gu & Dao 2023), a block of channels at a time: the block's kernel
// is transposed once, and its last inputs stay at hand while the tokens pass.
#include "ops/short_conv.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "kernels/elementwise_table.h"

namespace cistern::ops {
namespace {

constexpr std::uint64_t kBlock = 64;        // channels that are computed together
constexpr std::uint64_t kShareWork = 8192;  // inputs that are worth waking a thread for

// Inputs or kernel values of a block; zeros beyond the last channel.
struct alignas(64) Lane {
  std::array<float, kBlock> values;

  // The first n; zeros after them.
  void load(const float* from, std::uint64_t n) {
    std::copy_n(from, n, values.data());
    std::fill(values.begin() + static_cast<std::ptrdiff_t>(n), values.end(), 0.0F);
  }
};

class Block {
 public:
  Block(const Exec& exec, const ShortConv& conv, std::uint64_t first, std::uint64_t n)
      : conv_(conv),
        silu_(kernels::elementwise_kernels(exec.kernels->isa)
                  .gate[static_cast<std::size_t>(kernels::GateFn::kSilu)]),
        width_(conv.kernel.shape.cols()),
        channels_(conv.kernel.shape.rows()),
        first_(first),
        n_(n) {
    const float* kernel = conv.kernel.f32() + first * width_;
    for (std::uint64_t k = 0; k < width_; ++k) {
      for (std::uint64_t c = 0; c < kBlock; ++c) taps_[k].values[c] = c < n ? kernel[c * width_ + k] : 0.0F;
    }
    if (conv.bias.data != nullptr) {
      bias_.load(conv.bias.f32() + first, n);
    } else {
      bias_.values.fill(0.0F);
    }
  }

  void run() {
    for (std::uint64_t k = 0; k + 1 < width_; ++k) inputs_[k].load(state(k), n_);
    for (std::uint64_t t = 0; t < conv_.x.shape.rows(); ++t) {
      take_input(t);
      filter();
      if (conv_.silu) silu_(sum_.values.data(), nullptr, sum_.values.data(), kBlock, 0);
      give_output(t);
      oldest_ = slot(1);
    }
    for (std::uint64_t k = 0; k + 1 < width_; ++k) std::copy_n(inputs_[slot(k)].values.data(), n_, state(k));
  }

 private:
  float* state(std::uint64_t age) const { return conv_.state.data() + age * channels_ + first_; }
  // Where the input lies that is k tokens younger than the oldest.
  std::uint64_t slot(std::uint64_t k) const {
    return oldest_ + k < width_ ? oldest_ + k : oldest_ + k - width_;
  }

  void take_input(std::uint64_t t) {
    const float* row = conv_.x.row(t) + first_;
    Lane& input = inputs_[slot(width_ - 1)];
    input.load(row + conv_.x_col, n_);
    if (!conv_.input_gate_col) return;
    const float* gate = row + *conv_.input_gate_col;
    for (std::uint64_t c = 0; c < n_; ++c) input.values[c] *= gate[c];
  }

  void filter() {
    sum_ = bias_;
    for (std::uint64_t k = 0; k < width_; ++k) {
      const Lane& tap = taps_[k];
      const Lane& input = inputs_[slot(k)];
      for (std::uint64_t c = 0; c < kBlock; ++c) sum_.values[c] += tap.values[c] * input.values[c];
    }
  }

  void give_output(std::uint64_t t) {
    if (conv_.output_gate_col) {
      const float* gate = conv_.x.row(t) + *conv_.output_gate_col + first_;
      for (std::uint64_t c = 0; c < n_; ++c) sum_.values[c] *= gate[c];
    }
    std::copy_n(sum_.values.data(), n_, conv_.out.row(t) + conv_.out_col + first_);
  }

  const ShortConv& conv_;
  kernels::ElementwiseKernels::GateRow silu_;
  std::uint64_t width_, channels_;
  std::uint64_t first_, n_;   // this block's channels
  std::uint64_t oldest_ = 0;  // slot of the oldest input that the next token sees
  std::array<Lane, kMaxConvWidth> taps_, inputs_;
  Lane bias_, sum_;
};

}  // namespace

void short_conv(const Exec& exec, const ShortConv& conv) {
  const std::uint64_t width = conv.kernel.shape.cols();
  const std::uint64_t channels = conv.kernel.shape.rows();
  const std::uint64_t tokens = conv.x.shape.rows();
  const auto fits = [channels](const TensorView& rows, std::uint64_t col) {
    return col + channels <= rows.shape.cols();
  };
  CISTERN_CHECK(width >= 2 && width <= kMaxConvWidth && conv.state.size() == (width - 1) * channels);
  CISTERN_CHECK(conv.bias.data == nullptr || conv.bias.shape.elements() == channels);
  CISTERN_CHECK(fits(conv.x, conv.x_col) && fits(conv.out, conv.out_col) && conv.out.shape.rows() == tokens);
  CISTERN_CHECK(fits(conv.x, conv.input_gate_col.value_or(0)) &&
                fits(conv.x, conv.output_gate_col.value_or(0)));
  const std::uint64_t blocks =
      std::max<std::uint64_t>(1, kShareWork / (kBlock * std::max<std::uint64_t>(tokens, 1)));
  for_shares(exec, channels, kBlock * blocks, [&](int, Range range) {
    for (std::uint64_t first = range.begin; first < range.end; first += kBlock)
      Block(exec, conv, first, std::min(kBlock, range.end - first)).run();
  });
}

}  // namespace cistern::ops
