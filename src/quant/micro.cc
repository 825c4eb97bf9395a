// Micro-scaled 4-bit floats: e2m1 codes under an 8-bit float scale per 32 (MXFP4, OCP MX v1.0) or 16 values
// (NVFP4). The codebook holds doubled values, so the scales are halved; both steps are exact. The scale codes
// that the standards call NaN decode as ggml decodes them: E8M0 255 continues the powers of two, UE4M3 0x7F
// is zero.
#include <bit>

#include "quant/codebooks.h"
#include "quant/codec.h"

namespace cistern::quant {
namespace {

// 2^(code - 128): half of what E8M0 means. The two smallest are subnormal.
float half_of_e8m0(std::uint8_t code) {
  const std::uint32_t bits = code < 2 ? 0x00200000U << code : (code - 1U) << 23U;
  return std::bit_cast<float>(bits);
}

// Half of an unsigned E4M3 (bias 7). The sign bit is ignored.
float half_of_ue4m3(std::uint8_t code) {
  if (code == 0x7F) return 0.0F;
  const std::uint32_t exponent = code >> 3U & 15U;
  const std::uint32_t mantissa = code & 7U;
  if (exponent == 0) return static_cast<float>(mantissa) * 0x1p-10F;
  return std::bit_cast<float>((exponent - 8 + 127) << 23U | mantissa << 20U);
}

// 2 * `half_pairs` values: low nibbles first, then high ones.
void decode_e2m1(const std::uint8_t* qs, int half_pairs, float half_scale, float* out) {
  for (int j = 0; j < half_pairs; ++j) {
    out[j] = static_cast<float>(kDoubledE2M1[qs[j] & 15]) * half_scale;
    out[j + half_pairs] = static_cast<float>(kDoubledE2M1[qs[j] >> 4]) * half_scale;
  }
}

void decode_mxfp4(const BlockMXFP4& block, float* out) noexcept {
  decode_e2m1(block.qs, 16, half_of_e8m0(block.e), out);
}

void decode_nvfp4(const BlockNVFP4& block, float* out) noexcept {
  for (int group = 0; group < 4; ++group) {
    decode_e2m1(block.qs + 8 * group, 8, half_of_ue4m3(block.d[group]), out + 16 * group);
  }
}

constexpr Format kFormats[] = {
    decoded_format<BlockMXFP4, decode_mxfp4>(DType::kMXFP4, "MXFP4", 39),
    decoded_format<BlockNVFP4, decode_nvfp4>(DType::kNVFP4, "NVFP4", 40),
};

}  // namespace

std::span<const Format> micro_formats() noexcept {
  return kFormats;
}

}  // namespace cistern::quant
