// Q1_0 and Q2_0: one or two bits per value under one half scale, codes in plain order.
#include "quant/codec.h"

namespace cistern::quant {
namespace {

void decode_q1_0(const BlockQ1_0& block, float* out) noexcept {
  const float d = block.d.value();
  for (int i = 0; i < 128; ++i) out[i] = (block.qs[i / 8] >> (i % 8) & 1) != 0 ? d : -d;
}

void decode_q2_0(const BlockQ2_0& block, float* out) noexcept {
  const float d = block.d.value();
  for (int i = 0; i < 64; ++i) {
    const int q = block.qs[i / 4] >> (2 * (i % 4)) & 3;
    out[i] = static_cast<float>(q - 1) * d;
  }
}

constexpr Format kFormats[] = {
    decoded_format<BlockQ1_0, decode_q1_0>(DType::kQ1_0, "Q1_0", 41),
    decoded_format<BlockQ2_0, decode_q2_0>(DType::kQ2_0, "Q2_0", 42),
};

}  // namespace

std::span<const Format> few_bit_formats() noexcept {
  return kFormats;
}

}  // namespace cistern::quant
