// Unpackers of the K types (layouts: quant/blocks.h). Where a group's scale times its code fits a byte (Q2_K,
// Q3_K) the product is the code, and the whole chunk has one scale: exact, and cheaper to multiply. Included
// after unpack.h, inside a target region. Not a public header.
#pragma once

#include "kernels/generic/unpack.h"

namespace cistern::kernels {
namespace {

// 16 groups of 16; codes 2 bits, scales 4 bits: a product is at most 45.
struct Q2_K {
  static constexpr int kBytes = 84, kValues = 256, kGroup = 256, kMin = 16, kOffsetBits = 0;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 dmin = half_at(words, 82);
    sink.scale(0, half_at(words, 80));
    for (int group = 0; group < 16; ++group) {
      sink.min(group, -dmin * to_float((I32)(byte_at(words, group) >> 4)));
    }
    for (int group = 0; group < 16; ++group) {
      const U32 scale = byte_at(words, group) & 15U;
      // Codes of 16 are four words at bit 2 * (group / 2 % 4) of their bytes.
      const U32* qs = words + 4 + group / 8 * 8 + group % 2 * 4;
      for (int i = 0; i < 4; ++i) {
        sink.codes(4 * group + i, (qs[i] >> (group % 8 / 2 * 2) & 0x03030303U) * scale);
      }
      if (group % 2 == 1) sink.end_group(group / 2);
    }
  }
};

// 16 groups of 16; (code - 4) * scale lies in -124..128, so its negative fits -128..124 and d is negated.
struct Q3_K {
  static constexpr int kBytes = 110, kValues = 256, kGroup = 256, kMin = 0, kOffsetBits = 7;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    sink.scale(0, -half_at(words, 108));
    for (int group = 0; group < 16; ++group) {
      const U32 low = byte_at(words, 96 + group % 8) >> (4 * (group / 8)) & 15U;
      const U32 high = byte_at(words, 104 + group % 4) >> (2 * (group / 4)) & 3U;
      const U32 scale = (low | high << 4) - 32U;
      const U16 scale16 = (U16)((scale & 0xFFFFU) * 0x00010001U);
      const U16 base = scale16 * 4 + 128;
      const U32* qs = words + 8 + group / 8 * 8 + group % 2 * 4;
      const U32* hmask = words + group % 2 * 4;
      for (int i = 0; i < 4; ++i) {
        const U32 q = (qs[i] >> (group % 8 / 2 * 2) & 0x03030303U) | (hmask[i] >> (group / 2) & 0x01010101U)
                                                                         << 2;
        const U16 even = base - (U16)(q & 0x00FF00FFU) * scale16;
        const U16 odd = base - (U16)(q >> 8 & 0x00FF00FFU) * scale16;
        sink.codes(4 * group + i, (U32)even | (U32)odd << 8);
      }
      if (group % 2 == 1) sink.end_group(group / 2);
    }
  }
};

// Scales and minimums of the 8 groups of Q4_K and Q5_K, from the block's first four words.
template <class Sink>
inline void unpack_scales_and_mins(const U32* words, Sink& sink) noexcept {
  const F32 d = half_at(words, 0);
  const F32 dmin = half_at(words, 2);
  const U32 scales[2] = {words[1] & 0x3F3F3F3FU, low_nibbles(words[3]) | (words[1] >> 6 & 0x03030303U) << 4};
  const U32 mins[2] = {words[2] & 0x3F3F3F3FU, high_nibbles(words[3]) | (words[2] >> 6 & 0x03030303U) << 4};
  for (int group = 0; group < 8; ++group) {
    sink.scale(group, d * to_float((I32)byte_at(scales, group)));
    sink.min(group, -dmin * to_float((I32)byte_at(mins, group)));
  }
}

struct Q4_K {
  static constexpr int kBytes = 144, kValues = 256, kGroup = 32, kMin = 32, kOffsetBits = 0;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    unpack_scales_and_mins(words, sink);
    for (int group = 0; group < 8; group += 2) {
      const U32* qs = words + 4 + 4 * group;
      for (int i = 0; i < 8; ++i) sink.codes(8 * group + i, low_nibbles(qs[i]));
      sink.end_group(group);
      for (int i = 0; i < 8; ++i) sink.codes(8 * group + 8 + i, high_nibbles(qs[i]));
      sink.end_group(group + 1);
    }
  }
};

struct Q5_K {
  static constexpr int kBytes = 176, kValues = 256, kGroup = 32, kMin = 32, kOffsetBits = 0;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    unpack_scales_and_mins(words, sink);
    const U32* qh = words + 4;
    const auto high_bit = [&](int i, int group) { return (qh[i] >> group & 0x01010101U) << 4; };
    for (int group = 0; group < 8; group += 2) {
      const U32* qs = words + 12 + 4 * group;
      for (int i = 0; i < 8; ++i) sink.codes(8 * group + i, low_nibbles(qs[i]) | high_bit(i, group));
      sink.end_group(group);
      for (int i = 0; i < 8; ++i) sink.codes(8 * group + 8 + i, high_nibbles(qs[i]) | high_bit(i, group + 1));
      sink.end_group(group + 1);
    }
  }
};

struct Q6_K {
  static constexpr int kBytes = 210, kValues = 256, kGroup = 16, kMin = 0, kOffsetBits = 5;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 d = half_at(words, 208);
    for (int group = 0; group < 16; ++group) {
      sink.scale(group, d * to_float(signed_byte_at(words, 192 + group)));
    }
    for (int half = 0; half < 2; ++half) {
      const U32* ql = words + 16 * half;
      const U32* qh = words + 32 + 8 * half;
      for (int i = 0; i < 16; ++i) {
        sink.codes(32 * half + i, low_nibbles(ql[i]) | (qh[i % 8] >> (i / 8 * 2) & 0x03030303U) << 4);
        if (i % 4 == 3) sink.end_group(8 * half + i / 4);
      }
      for (int i = 0; i < 16; ++i) {
        sink.codes(32 * half + 16 + i, high_nibbles(ql[i]) | (qh[i % 8] >> (4 + i / 8 * 2) & 0x03030303U)
                                                                 << 4);
        if (i % 4 == 3) sink.end_group(8 * half + 4 + i / 4);
      }
    }
  }
};

}  // namespace
}  // namespace cistern::kernels
