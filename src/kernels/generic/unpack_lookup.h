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
template <int kSkew, class Sink>
inline void put_levels(const Levels& levels, const U32* qs, int block, Sink& sink) noexcept {
  U32 v[4];
  for (int i = 0; i < 4; ++i) v[i] = word_at<kSkew>(qs, i);
  for (int i = 0; i < 4; ++i) sink.codes(8 * block + i, lookup_bytes(levels.codes, low_nibbles(v[i])));
  for (int i = 0; i < 4; ++i) sink.codes(8 * block + 4 + i, lookup_bytes(levels.codes, high_nibbles(v[i])));
  sink.end_group(block);
}

struct IQ4_NL {
  static constexpr int kBytes = 18, kValues = 32, kGroup = 32, kMin = 0, kOffsetBits = 7;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for_blocks<kBytes>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
      sink.scale(b, half_at(block, skew));
      put_levels<(skew + 2) % 4>(kIQ4Levels, block + (skew + 2) / 4, b, sink);
    });
  }
};

struct IQ4_XS {
  static constexpr int kBytes = 136, kValues = 256, kGroup = 32, kMin = 0, kOffsetBits = 7;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 d = half_at(words, 0);
    const U32 high = words[0] >> 16;
    for (int b = 0; b < 8; ++b) {
      const U32 scale = (words[1] >> (4 * b) & 15U) | (high >> (2 * b) & 3U) << 4;
      sink.scale(b, d * to_float((I32)(scale - 32U)));
      put_levels<0>(kIQ4Levels, words + 2 + 4 * b, b, sink);
    }
  }
};

// 2^(code - 128): half of what E8M0 means, as the levels are doubled. The two smallest are subnormal.
inline F32 half_of_e8m0(U32 code) noexcept {
  return (F32)(code < 2U ? (U32{} + 0x00200000U) << code : (code - 1U) << 23);
}

struct MXFP4 {
  static constexpr int kBytes = 17, kValues = 32, kGroup = 32, kMin = 0, kOffsetBits = 7;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for_blocks<kBytes>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
      sink.scale(b, half_of_e8m0(byte_at(block, skew)));
      put_levels<(skew + 1) % 4>(kE2M1Levels, block + (skew + 1) / 4, b, sink);
    });
  }
};

// Half of an unsigned E4M3 (bias 7); the sign bit is ignored and 0x7F is zero.
inline F32 half_of_ue4m3(U32 code) noexcept {
  const U32 exponent = code >> 3 & 15U;
  const U32 mantissa = code & 7U;
  const U32 normal = (exponent + 119U) << 23 | mantissa << 20;
  const U32 subnormal = (U32)(to_float((I32)mantissa) * 0x1p-10F);
  return (F32)(code == 0x7FU ? U32{} : exponent == 0U ? subnormal : normal);
}

// 64 values: 4 scales of 16 values each, then 8 bytes per 16 values, low nibbles first.
struct NVFP4 {
  static constexpr int kBytes = 36, kValues = 64, kGroup = 16, kMin = 0, kOffsetBits = 7;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for (int group = 0; group < n_values / 16; ++group) {
      const U32* block = words + 9 * (group / 4);
      sink.scale(group, half_of_ue4m3(byte_at(block, group % 4)));
      const U32* qs = block + 1 + group % 4 * 2;
      for (int i = 0; i < 2; ++i) {
        sink.codes(4 * group + i, lookup_bytes(kE2M1Levels.codes, low_nibbles(qs[i])));
      }
      for (int i = 0; i < 2; ++i) {
        sink.codes(4 * group + 2 + i, lookup_bytes(kE2M1Levels.codes, high_nibbles(qs[i])));
      }
      sink.end_group(group);
    }
  }
};

}  // namespace
}  // namespace cistern::kernels
