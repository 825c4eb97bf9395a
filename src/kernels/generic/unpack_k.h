// Unpackers of the K types (layouts: quant/blocks.h). Where a group's scale times its code fits a byte and is
// one multiplication (Q2_K) the product is the code, and the whole chunk has one scale: exact, and cheaper to
// multiply. Included after unpack.h, inside a target region. Not a public header.
#pragma once

#include "kernels/generic/unpack_bits.h"

namespace cistern::kernels {
namespace {

// 16 groups of 16; codes 2 bits, scales 4 bits: a product is at most 45.
struct Q2_K {
  static constexpr int kBytes = 84, kValues = 256, kGroup = 256, kMin = 16, kOffsetBits = 0, kCodeBits = 6;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 dmin = half_at(words, 82);
    sink.scale(0, half_at(words, 80));
    for (int group = 0; group < 16; ++group) {
      sink.min(group, -dmin * to_float((I32)(byte_at(words, group) >> 4)));
    }
    for_constants<16>([&](auto group) {
      const U32 scale = in_both_halves(byte_at(words, group) & 15U);
      // Codes of 16 are four words at bit 2 * (group / 2 % 4) of their bytes.
      const U32* qs = words + 4 + group / 8 * 8 + group % 2 * 4;
      for (int i = 0; i < 4; ++i) {
        sink.codes(4 * group + i, scaled_codes(qs[i] >> (group % 8 / 2 * 2) & 0x03030303U, scale));
      }
      if constexpr (group % 2 == 1) sink.end_group(group / 2);
    });
  }
};

// 16 groups of 16; codes of 3 bits, the third one apart.
struct Q3_K {
  static constexpr int kBytes = 110, kValues = 256, kGroup = 16, kMin = 0, kOffsetBits = 2;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 d = half_at(words, 108);
    U32 scales[4];  // one per byte
    for (int i = 0; i < 4; ++i) {
      const U32 low = i < 2 ? low_nibbles(words[24 + i]) : high_nibbles(words[22 + i]);
      scales[i] = (U32)((U8)(low | (words[26] >> (2 * i) & 0x03030303U) << 4) - 32);
    }
    for (int group = 0; group < 16; ++group) sink.scale(group, d * to_float(signed_byte_at(scales, group)));
    for_constants<16>([&](auto group) {
      // Codes of 16 are four words at bit 2 * (group / 2 % 4) of their bytes.
      const U32* qs = words + 8 + group / 8 * 8 + group % 2 * 4;
      const U32* hmask = words + group % 2 * 4;
      for (int i = 0; i < 4; ++i) {
        sink.codes(4 * group + i, (qs[i] >> (group % 8 / 2 * 2) & 0x03030303U) |
                                      (moved(hmask[i], group / 2, 2) & 0x04040404U));
      }
      sink.end_group(group);
    });
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
  static constexpr int kBytes = 144, kValues = 256, kGroup = 32, kMin = 32, kOffsetBits = 0, kCodeBits = 4;
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
  static constexpr int kBytes = 176, kValues = 256, kGroup = 32, kMin = 32, kOffsetBits = 0, kCodeBits = 5;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    unpack_scales_and_mins(words, sink);
    const U32* qh = words + 4;
    for_constants<8>([&](auto group) {
      const U32* qs = words + 12 + group / 2 * 8;
      for (int i = 0; i < 8; ++i) {
        const U32 low = group % 2 == 0 ? low_nibbles(qs[i]) : high_nibbles(qs[i]);
        sink.codes(8 * group + i, low | (moved(qh[i], group, 4) & 0x10101010U));
      }
      sink.end_group(group);
    });
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
    for_constants<16>([&](auto group) {
      const U32* ql = words + group / 8 * 16 + group % 4 * 4;
      const U32* qh = words + 32 + group / 8 * 8 + group % 2 * 4;
      for (int i = 0; i < 4; ++i) {
        const U32 low = group % 8 < 4 ? low_nibbles(ql[i]) : high_nibbles(ql[i]);
        sink.codes(4 * group + i, low | (moved(qh[i], group % 8 / 2 * 2, 4) & 0x30303030U));
      }
      sink.end_group(group);
    });
  }
};

}  // namespace
}  // namespace cistern::kernels
