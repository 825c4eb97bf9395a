// The fixed codebooks of the I types and of e2m1: published constants of the formats (ggml-common.h),
// constant data in read-only memory, safe to read from any thread at any time. Used by the codecs here and by
// kernels/.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace cistern::quant {

using TernaryVector = std::array<std::int8_t, 8>;  // -1, 0, 1
using Magnitudes8 = std::array<std::uint8_t, 8>;   // 8, 25, 43
using Magnitudes4 = std::array<std::uint8_t, 4>;

extern const std::array<TernaryVector, 2048> kIQ1Codebook;  // IQ1_S, IQ1_M
extern const std::array<Magnitudes8, 256> kIQ2XXSCodebook;
extern const std::array<Magnitudes8, 512> kIQ2XSCodebook;
extern const std::array<Magnitudes8, 1024> kIQ2SCodebook;
extern const std::array<Magnitudes4, 256> kIQ3XXSCodebook;  // 4, 12, ..., 52, 62
extern const std::array<Magnitudes4, 512> kIQ3SCodebook;    // 1, 3, ..., 15

// Levels of IQ4_NL and IQ4_XS.
inline constexpr std::array<std::int8_t, 16> kIQ4Values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                           1,    13,   25,  38,  53,  69,  89,  113};

// Twice the value of each e2m1 code (sign, 2 bits exponent, 1 bit mantissa), so that all are integers. Code
// 8, minus zero, is plain zero, as ggml has it.
inline constexpr std::array<std::int8_t, 16> kDoubledE2M1 = {0, 1,  2,  3,  4,  6,  8,  12,
                                                             0, -1, -2, -3, -4, -6, -8, -12};

// Eight sign bits from the seven that IQ2_XXS, IQ2_XS and IQ3_XXS store: the number of negatives is even.
constexpr std::uint32_t even_signs(std::uint32_t seven_bits) noexcept {
  return seven_bits | (static_cast<std::uint32_t>(std::popcount(seven_bits)) & 1U) << 7U;
}

}  // namespace cistern::quant
