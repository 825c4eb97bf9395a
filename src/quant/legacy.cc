// The 32-value types with one scale per block (Q4_0, Q5_0, Q8_0) or a scale and a minimum (Q4_1, Q5_1). The
// encoders are ggml's reference rounding: the scale comes from the extreme of the block, codes from the
// unrounded scale, halves up.
#include <algorithm>
#include <cmath>

#include "quant/codec.h"

namespace cistern::quant {
namespace {

constexpr int kHalfBlock = 16;

// ---- Decoding ----

int low_nibble(std::uint8_t byte) {
  return byte & 15;
}
int high_nibble(std::uint8_t byte) {
  return byte >> 4;
}
int bit_at_4(std::uint32_t word, int index) {
  return static_cast<int>((word >> index) & 1U) << 4;
}

void decode_q4_0(const BlockQ4_0& block, float* out) noexcept {
  const float d = block.d.value();
  for (int j = 0; j < kHalfBlock; ++j) {
    out[j] = static_cast<float>(low_nibble(block.qs[j]) - 8) * d;
    out[j + kHalfBlock] = static_cast<float>(high_nibble(block.qs[j]) - 8) * d;
  }
}

void decode_q4_1(const BlockQ4_1& block, float* out) noexcept {
  const float d = block.d.value();
  const float m = block.m.value();
  for (int j = 0; j < kHalfBlock; ++j) {
    out[j] = static_cast<float>(low_nibble(block.qs[j])) * d + m;
    out[j + kHalfBlock] = static_cast<float>(high_nibble(block.qs[j])) * d + m;
  }
}

void decode_q5_0(const BlockQ5_0& block, float* out) noexcept {
  const float d = block.d.value();
  const std::uint32_t qh = load_u32(block.qh);
  for (int j = 0; j < kHalfBlock; ++j) {
    const int low = low_nibble(block.qs[j]) | bit_at_4(qh, j);
    const int high = high_nibble(block.qs[j]) | bit_at_4(qh, j + kHalfBlock);
    out[j] = static_cast<float>(low - 16) * d;
    out[j + kHalfBlock] = static_cast<float>(high - 16) * d;
  }
}

void decode_q5_1(const BlockQ5_1& block, float* out) noexcept {
  const float d = block.d.value();
  const float m = block.m.value();
  const std::uint32_t qh = load_u32(block.qh);
  for (int j = 0; j < kHalfBlock; ++j) {
    const int low = low_nibble(block.qs[j]) | bit_at_4(qh, j);
    const int high = high_nibble(block.qs[j]) | bit_at_4(qh, j + kHalfBlock);
    out[j] = static_cast<float>(low) * d + m;
    out[j + kHalfBlock] = static_cast<float>(high) * d + m;
  }
}

void decode_q8_0(const BlockQ8_0& block, float* out) noexcept {
  const float d = block.d.value();
  for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(block.qs[j]) * d;
}

// ---- Encoding ----

// Truncates into [low, high]; total, so that no input (NaN included) is undefined behaviour.
int truncate_into(float value, int low, int high) {
  if (!(value > static_cast<float>(low))) return low;
  if (value >= static_cast<float>(high)) return high;
  return static_cast<int>(value);
}

float reciprocal_or_zero(float d) {
  return d != 0.0F ? 1.0F / d : 0.0F;
}

// The value of largest magnitude with its sign; the first of equals.
float signed_extreme(const float* in) {
  float extreme = 0.0F;
  for (int j = 0; j < 32; ++j) {
    if (std::fabs(extreme) < std::fabs(in[j])) extreme = in[j];
  }
  return extreme;
}

// Codes of a symmetric type: the extreme maps to code 0, zero to `zero_code`.
struct SymmetricScale {
  SymmetricScale(const float* in, int zero)
      : d(signed_extreme(in) / static_cast<float>(-zero)), inverse(reciprocal_or_zero(d)), zero_code(zero) {}

  int code(float value) const {
    return truncate_into(value * inverse + (static_cast<float>(zero_code) + 0.5F), 0, 2 * zero_code - 1);
  }

  float d;
  float inverse;
  int zero_code;
};

// Codes of a type with a minimum: the minimum maps to 0, the maximum to `max_code`.
struct AffineScale {
  AffineScale(const float* in, int top)
      : m(*std::min_element(in, in + 32)),
        d((*std::max_element(in, in + 32) - m) / static_cast<float>(top)),
        inverse(reciprocal_or_zero(d)),
        max_code(top) {}

  int code(float value) const { return truncate_into((value - m) * inverse + 0.5F, 0, max_code); }

  float m;
  float d;
  float inverse;
  int max_code;
};

template <class Scale>
void pack_nibbles(const float* in, const Scale& scale, std::uint8_t (&qs)[16]) {
  for (int j = 0; j < kHalfBlock; ++j) {
    const int low = scale.code(in[j]);
    const int high = scale.code(in[j + kHalfBlock]);
    qs[j] = static_cast<std::uint8_t>((low & 15) | (high & 15) << 4);
  }
}

template <class Scale>
void pack_fifth_bits(const float* in, const Scale& scale, std::uint8_t (&qh)[4]) {
  std::uint32_t word = 0;
  for (int j = 0; j < 32; ++j) word |= static_cast<std::uint32_t>(scale.code(in[j]) >> 4) << j;
  std::memcpy(qh, &word, sizeof(word));
}

void encode_q4_0(const float* in, BlockQ4_0& block) noexcept {
  const SymmetricScale scale(in, 8);
  block.d.set(scale.d);
  pack_nibbles(in, scale, block.qs);
}

void encode_q4_1(const float* in, BlockQ4_1& block) noexcept {
  const AffineScale scale(in, 15);
  block.d.set(scale.d);
  block.m.set(scale.m);
  pack_nibbles(in, scale, block.qs);
}

void encode_q5_0(const float* in, BlockQ5_0& block) noexcept {
  const SymmetricScale scale(in, 16);
  block.d.set(scale.d);
  pack_fifth_bits(in, scale, block.qh);
  pack_nibbles(in, scale, block.qs);
}

void encode_q5_1(const float* in, BlockQ5_1& block) noexcept {
  const AffineScale scale(in, 31);
  block.d.set(scale.d);
  block.m.set(scale.m);
  pack_fifth_bits(in, scale, block.qh);
  pack_nibbles(in, scale, block.qs);
}

void encode_q8_0(const float* in, BlockQ8_0& block) noexcept {
  const float d = std::fabs(signed_extreme(in)) / 127.0F;
  const float inverse = reciprocal_or_zero(d);
  block.d.set(d);
  for (int j = 0; j < 32; ++j) {
    block.qs[j] = static_cast<std::int8_t>(truncate_into(std::round(in[j] * inverse), -127, 127));
  }
}

constexpr Format kFormats[] = {
    coded_format<BlockQ4_0, decode_q4_0, encode_q4_0>(DType::kQ4_0, "Q4_0", 2),
    coded_format<BlockQ4_1, decode_q4_1, encode_q4_1>(DType::kQ4_1, "Q4_1", 3),
    coded_format<BlockQ5_0, decode_q5_0, encode_q5_0>(DType::kQ5_0, "Q5_0", 6),
    coded_format<BlockQ5_1, decode_q5_1, encode_q5_1>(DType::kQ5_1, "Q5_1", 7),
    coded_format<BlockQ8_0, decode_q8_0, encode_q8_0>(DType::kQ8_0, "Q8_0", 8),
};

}  // namespace

std::span<const Format> legacy_formats() noexcept {
  return kFormats;
}

}  // namespace cistern::quant
