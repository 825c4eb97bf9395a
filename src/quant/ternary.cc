// Ternary types: values -1, 0, 1 under one half scale per 256.
#include "quant/codec.h"

namespace cistern::quant {
namespace {

constexpr int kPowersOf3[] = {1, 3, 9, 27, 81};

// A byte is the fraction 0.t0 t1 t2 t3 t4 in base 3, times 256 and rounded up. Multiplying by 3^n modulo 256
// shifts the leading n trits out; the integer part of three times the rest is trit n.
float trit(std::uint8_t byte, int n) {
  const int rest = (byte * kPowersOf3[n]) & 0xFF;
  return static_cast<float>((rest * 3 >> 8) - 1);
}

// Values of `count` neighbouring bytes: all first trits, then all second ones, ...
float* decode_trits(const std::uint8_t* bytes, int count, int trits_per_byte, float d, float* out) {
  for (int n = 0; n < trits_per_byte; ++n) {
    for (int j = 0; j < count; ++j) *out++ = trit(bytes[j], n) * d;
  }
  return out;
}

void decode_tq1_0(const BlockTQ1_0& block, float* out) noexcept {
  const float d = block.d.value();
  out = decode_trits(block.qs, 32, 5, d, out);
  out = decode_trits(block.qs + 32, 16, 5, d, out);
  decode_trits(block.qh, 4, 4, d, out);
}

void decode_tq2_0(const BlockTQ2_0& block, float* out) noexcept {
  const float d = block.d.value();
  for (int i = 0; i < 256; ++i) {
    const int q = block.qs[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4)) & 3;
    out[i] = static_cast<float>(q - 1) * d;
  }
}

constexpr Format kFormats[] = {
    decoded_format<BlockTQ1_0, decode_tq1_0>(DType::kTQ1_0, "TQ1_0", 34),
    decoded_format<BlockTQ2_0, decode_tq2_0>(DType::kTQ2_0, "TQ2_0", 35),
};

}  // namespace

std::span<const Format> ternary_formats() noexcept {
  return kFormats;
}

}  // namespace cistern::quant
