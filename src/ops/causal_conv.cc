#include "ops/causal_conv.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "kernels/elementwise_table.h"

namespace cistern::ops {
namespace {

constexpr std::uint64_t kBlock = 64;               // channels at a time
constexpr std::uint64_t kGrainValues = 1U << 14U;  // below it, waking other threads costs more than the work

using Row = std::array<float, kBlock>;

// All tokens of up to kBlock channels from `first` on.
class Block {
 public:
  Block(const CausalConv& conv, std::uint64_t first)
      : conv_(conv),
        first_(first),
        channels_(conv.x.shape.cols()),
        count_(std::min(kBlock, channels_ - first)),
        past_(conv.weight.shape.cols() - 1) {
    const float* weight = conv.weight.f32() + first * (past_ + 1);
    for (std::uint64_t c = 0; c < count_; ++c)
      for (std::uint64_t j = 0; j <= past_; ++j) taps_[j][c] = weight[c * (past_ + 1) + j];
  }

  // In place, so from the last token to the first: no token's input is gone before its last use.
  void run(kernels::ElementwiseKernels::GateRow silu) {
    const std::uint64_t tokens = conv_.x.shape.rows();
    std::array<Row, kMaxConvWidth> next;
    for (std::uint64_t j = 0; j < past_; ++j) std::copy_n(input(tokens + j), count_, next[j].data());
    for (std::uint64_t t = tokens; t-- > 0;) {
      Row sums{};
      for (std::uint64_t j = 0; j <= past_; ++j) {
        const float* x = input(t + j);
        for (std::uint64_t c = 0; c < count_; ++c) sums[c] += taps_[j][c] * x[c];
      }
      silu(sums.data(), nullptr, conv_.x.row(t) + first_, count_, 0);
    }
    for (std::uint64_t j = 0; j < past_; ++j) std::copy_n(next[j].data(), count_, state(j));
  }

 private:
  float* state(std::uint64_t j) const { return conv_.state.data() + j * channels_ + first_; }
  // Of the state's tokens and the new ones, one after the other.
  const float* input(std::uint64_t t) const { return t < past_ ? state(t) : conv_.x.row(t - past_) + first_; }

  const CausalConv& conv_;
  std::uint64_t first_, channels_, count_, past_;
  std::array<Row, kMaxConvWidth> taps_;
};

}  // namespace

void causal_conv(const Exec& exec, const CausalConv& conv) {
  const std::uint64_t width = conv.weight.shape.cols();
  const std::uint64_t channels = conv.x.shape.cols();
  const std::uint64_t tokens = conv.x.shape.rows();
  CISTERN_CHECK(width >= 2 && width <= kMaxConvWidth && conv.weight.shape.rows() == channels);
  CISTERN_CHECK(tokens > 0 && conv.state.size() == conv_state_floats(width, channels));
  const auto silu =
      kernels::elementwise_kernels(exec.kernels->isa).gate[static_cast<std::size_t>(kernels::GateFn::kSilu)];
  const std::uint64_t blocks = (channels + kBlock - 1) / kBlock;
  const std::uint64_t grain = std::max<std::uint64_t>(1, kGrainValues / (kBlock * tokens * width));
  for_shares(exec, blocks, grain, [&](int, Range range) {
    for (std::uint64_t b = range.begin; b < range.end; ++b) Block(conv, b * kBlock).run(silu);
  });
}

}  // namespace cistern::ops
