// The I types: codebook vectors under per-group scales. IQ1 adds a constant shift to vectors of -1, 0, 1; IQ2
// and IQ3 look up magnitudes and store signs apart; IQ4 maps single 4-bit codes through a non-linear table.
#include "quant/codebooks.h"
#include "quant/codec.h"

namespace cistern::quant {
namespace {

// ---- IQ1: scale * (vector + shift) ----

constexpr float kIQ1Shift = 0.125F;

void put_shifted(const TernaryVector& vector, float scale, float shift, float* out) {
  for (int j = 0; j < 8; ++j) out[j] = scale * (static_cast<float>(vector[j]) + shift);
}

void decode_iq1_s(const BlockIQ1_S& block, float* out) noexcept {
  const float d = block.d.value();
  for (int group = 0; group < 8; ++group) {
    const std::uint32_t word = load_u16(block.qh + 2 * group);
    const float scale = d * static_cast<float>(2 * (word >> 12U & 7U) + 1);
    const float shift = (word & 0x8000U) != 0 ? -kIQ1Shift : kIQ1Shift;
    for (int k = 0; k < 4; ++k) {
      const int vi = 4 * group + k;
      const std::uint32_t index = block.qs[vi] | (word >> (3 * k) & 7U) << 8U;
      put_shifted(kIQ1Codebook[index], scale, shift, out + 8 * vi);
    }
  }
}

void decode_iq1_m(const BlockIQ1_M& block, float* out) noexcept {
  std::uint32_t d_bits = 0;
  for (int k = 0; k < 4; ++k) d_bits |= load_u16(block.scales + 2 * k) >> 12U << (4 * k);
  const float d = half_to_float(static_cast<std::uint16_t>(d_bits));
  for (int vi = 0; vi < 32; ++vi) {
    const int group = vi / 2;
    const std::uint32_t scale_code = load_u16(block.scales + 2 * (group / 4)) >> (3 * (group % 4)) & 7U;
    const float scale = d * static_cast<float>(2 * scale_code + 1);
    const std::uint32_t nibble = block.qh[vi / 2] >> (4 * (vi % 2)) & 15U;
    const std::uint32_t index = block.qs[vi] | (nibble & 7U) << 8U;
    put_shifted(kIQ1Codebook[index], scale, (nibble & 8U) != 0 ? -kIQ1Shift : kIQ1Shift, out + 8 * vi);
  }
}

// ---- IQ2, IQ3: scale * magnitude, bit j of `signs` negates value j ----

template <class Vector>
void put_signed(const Vector& magnitudes, float scale, std::uint32_t signs, float* out) {
  for (std::size_t j = 0; j < magnitudes.size(); ++j) {
    const float value = scale * static_cast<float>(magnitudes[j]);
    out[j] = (signs >> j & 1U) != 0 ? -value : value;
  }
}

float half_step_scale(float d, std::uint32_t code, float unit) {
  return d * (0.5F + static_cast<float>(code)) * unit;
}

void decode_iq2_xxs(const BlockIQ2_XXS& block, float* out) noexcept {
  const float d = block.d.value();
  for (int group = 0; group < 8; ++group) {
    const std::uint8_t* indices = block.qs + 8 * group;
    const std::uint32_t word = load_u32(indices + 4);
    const float scale = half_step_scale(d, word >> 28U, 0.25F);
    for (int k = 0; k < 4; ++k) {
      put_signed(kIQ2XXSCodebook[indices[k]], scale, even_signs(word >> (7 * k) & 127U),
                 out + 32 * group + 8 * k);
    }
  }
}

void decode_iq2_xs(const BlockIQ2_XS& block, float* out) noexcept {
  const float d = block.d.value();
  for (int vi = 0; vi < 32; ++vi) {
    const int group = vi / 2;
    const float scale = half_step_scale(d, block.scales[group / 2] >> (4 * (group % 2)) & 15U, 0.25F);
    const std::uint32_t word = load_u16(block.qs + 2 * vi);
    put_signed(kIQ2XSCodebook[word & 511U], scale, even_signs(word >> 9U), out + 8 * vi);
  }
}

void decode_iq2_s(const BlockIQ2_S& block, float* out) noexcept {
  const float d = block.d.value();
  for (int vi = 0; vi < 32; ++vi) {
    const int group = vi / 2;
    const float scale = half_step_scale(d, block.scales[group / 2] >> (4 * (group % 2)) & 15U, 0.25F);
    const std::uint32_t index = block.qs[vi] | (block.qh[vi / 4] >> (2 * (vi % 4)) & 3U) << 8U;
    put_signed(kIQ2SCodebook[index], scale, block.signs[vi], out + 8 * vi);
  }
}

void decode_iq3_xxs(const BlockIQ3_XXS& block, float* out) noexcept {
  const float d = block.d.value();
  for (int group = 0; group < 8; ++group) {
    const std::uint32_t word = load_u32(block.scales_and_signs + 4 * group);
    const float scale = half_step_scale(d, word >> 28U, 0.5F);
    for (int k = 0; k < 4; ++k) {
      const std::uint32_t signs = even_signs(word >> (7 * k) & 127U);
      const int vi = 8 * group + 2 * k;
      put_signed(kIQ3XXSCodebook[block.qs[vi]], scale, signs, out + 4 * vi);
      put_signed(kIQ3XXSCodebook[block.qs[vi + 1]], scale, signs >> 4U, out + 4 * vi + 4);
    }
  }
}

void decode_iq3_s(const BlockIQ3_S& block, float* out) noexcept {
  const float d = block.d.value();
  for (int vi = 0; vi < 64; ++vi) {
    const int group = vi / 8;
    const int scale_code = block.scales[group / 2] >> (4 * (group % 2)) & 15;
    const float scale = d * static_cast<float>(1 + 2 * scale_code);
    const std::uint32_t index = block.qs[vi] | (block.qh[vi / 8] >> (vi % 8) & 1U) << 8U;
    put_signed(kIQ3SCodebook[index], scale, block.signs[vi / 2] >> (4 * (vi % 2)) & 15U, out + 4 * vi);
  }
}

// ---- IQ4: scale * table[code] ----

void put_iq4(const std::uint8_t* qs, float scale, float* out) {
  for (int j = 0; j < 16; ++j) {
    out[j] = scale * static_cast<float>(kIQ4Values[qs[j] & 15]);
    out[j + 16] = scale * static_cast<float>(kIQ4Values[qs[j] >> 4]);
  }
}

void decode_iq4_nl(const BlockIQ4_NL& block, float* out) noexcept {
  put_iq4(block.qs, block.d.value(), out);
}

void decode_iq4_xs(const BlockIQ4_XS& block, float* out) noexcept {
  const float d = block.d.value();
  const std::uint32_t high_bits = load_u16(block.scales_h);
  for (int group = 0; group < 8; ++group) {
    const int low = block.scales_l[group / 2] >> (4 * (group % 2)) & 15;
    const int high = static_cast<int>(high_bits >> (2 * group) & 3U);
    put_iq4(block.qs + 16 * group, d * static_cast<float>((low | high << 4) - 32), out + 32 * group);
  }
}

constexpr Format kFormats[] = {
    decoded_format<BlockIQ1_S, decode_iq1_s>(DType::kIQ1_S, "IQ1_S", 19),
    decoded_format<BlockIQ1_M, decode_iq1_m>(DType::kIQ1_M, "IQ1_M", 29),
    decoded_format<BlockIQ2_XXS, decode_iq2_xxs>(DType::kIQ2_XXS, "IQ2_XXS", 16),
    decoded_format<BlockIQ2_XS, decode_iq2_xs>(DType::kIQ2_XS, "IQ2_XS", 17),
    decoded_format<BlockIQ2_S, decode_iq2_s>(DType::kIQ2_S, "IQ2_S", 22),
    decoded_format<BlockIQ3_XXS, decode_iq3_xxs>(DType::kIQ3_XXS, "IQ3_XXS", 18),
    decoded_format<BlockIQ3_S, decode_iq3_s>(DType::kIQ3_S, "IQ3_S", 21),
    decoded_format<BlockIQ4_NL, decode_iq4_nl>(DType::kIQ4_NL, "IQ4_NL", 20),
    decoded_format<BlockIQ4_XS, decode_iq4_xs>(DType::kIQ4_XS, "IQ4_XS", 23),
};

}  // namespace

std::span<const Format> i_formats() noexcept {
  return kFormats;
}

}  // namespace cistern::quant
