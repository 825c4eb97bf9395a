// Unpackers of 4-bit codes that stand for the levels of a table: IQ4_NL, IQ4_XS, MXFP4, NVFP4 (layouts:
// quant/blocks.h). Codes of the panel are the levels plus 128. Included after unpack.h, inside a target
// region. Not a public header.
#pragma once

#include "kernels/generic/unpack.h"
#include "quant/codebooks.h"

namespace cistern::kernels {
namespace {

struct Levels {
  std::uint8_t codes[16];
};

constexpr Levels levels_plus_128(const std::array<std::int8_t, 16>& levels) noexcept {
  Levels result{};
  for (std::size_t i = 0; i < 16; ++i) result.codes[i] = static_cast<std::uint8_t>(levels[i] + 128);
  return result;
}

constexpr Levels kIQ4Levels = levels_plus_128(quant::kIQ4Values);
constexpr Levels kE2M1Levels = levels_plus_128(quant::kDoubledE2M1);

// A block of 32: 16 bytes, low nibbles first.
template <int kSkew>
inline void put_levels(const Levels& levels, const U32* qs, int block, const Sink& sink) noexcept {
  for (int i = 0; i < 4; ++i) {
    const U32 v = word_at<kSkew>(qs, i);
    sink.codes(8 * block + i, lookup_bytes(levels.codes, low_nibbles(v)));
    sink.codes(8 * block + 4 + i, lookup_bytes(levels.codes, high_nibbles(v)));
  }
}

void unpack_iq4_nl(const U32* words, int n_values, const Sink& sink) noexcept {
  for_blocks_of_32<18>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
    sink.scale(b, half_at(block, skew));
    put_levels<(skew + 2) % 4>(kIQ4Levels, block + (skew + 2) / 4, b, sink);
  });
}

void unpack_iq4_xs(const U32* words, int, const Sink& sink) noexcept {
  const F32 d = half_at(words, 0);
  const U32 high = words[0] >> 16;
  for (int b = 0; b < 8; ++b) {
    const U32 scale = (words[1] >> (4 * b) & 15U) | (high >> (2 * b) & 3U) << 4;
    sink.scale(b, d * to_float((I32)(scale - 32U)));
    put_levels<0>(kIQ4Levels, words + 2 + 4 * b, b, sink);
  }
}

// 2^(code - 128): half of what E8M0 means, as the levels are doubled. The two smallest are subnormal.
inline F32 half_of_e8m0(U32 code) noexcept {
  return (F32)(code < 2U ? (U32{} + 0x00200000U) << code : (code - 1U) << 23);
}

void unpack_mxfp4(const U32* words, int n_values, const Sink& sink) noexcept {
  for_blocks_of_32<17>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
    sink.scale(b, half_of_e8m0(byte_at(block, skew)));
    put_levels<(skew + 1) % 4>(kE2M1Levels, block + (skew + 1) / 4, b, sink);
  });
}

// Half of an unsigned E4M3 (bias 7); the sign bit is ignored and 0x7F is zero.
inline F32 half_of_ue4m3(U32 code) noexcept {
  const U32 exponent = code >> 3 & 15U;
  const U32 mantissa = code & 7U;
  const U32 normal = (exponent + 119U) << 23 | mantissa << 20;
  const U32 subnormal = (U32)(to_float((I32)mantissa) * 0x1p-10F);
  return (F32)(code == 0x7FU ? U32{} : exponent == 0U ? subnormal : normal);
}

// 64 values: 4 scales of 16 values each, then 8 bytes per 16 values, low nibbles first.
void unpack_nvfp4(const U32* words, int n_values, const Sink& sink) noexcept {
  for (int b = 0; b < n_values / 64; ++b) {
    const U32* block = words + 9 * b;
    for (int group = 0; group < 4; ++group) {
      sink.scale(4 * b + group, half_of_ue4m3(byte_at(block, group)));
      for (int i = 0; i < 2; ++i) {
        const U32 v = block[1 + 2 * group + i];
        const int quad = 16 * b + 4 * group + i;
        sink.codes(quad, lookup_bytes(kE2M1Levels.codes, low_nibbles(v)));
        sink.codes(quad + 2, lookup_bytes(kE2M1Levels.codes, high_nibbles(v)));
      }
    }
  }
}

}  // namespace
}  // namespace cistern::kernels
