// Unpackers of the codebook types: IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S (layouts:
// quant/blocks.h, values: quant/i.cc). Included after unpack.h, inside a target region. Not a public header.
#pragma once

#include "kernels/generic/unpack_bits.h"
#include "quant/codebook_codes.h"

namespace cistern::kernels {
namespace {

// ---- IQ1: scale * (vector + shift), entries of 8 codes `value + 1` of 2 bits ----

// The shift is one for a group: code = (value + 1) * scale, and the rest is the minimum.
struct IQ1_S {
  static constexpr int kBytes = 50, kValues = 256, kGroup = 256, kMin = 32, kOffsetBits = 0, kCodeBits = 5;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 d = half_at(words, 0);
    sink.scale(0, d);
    U32 heads[8];
    for (int group = 0; group < 8; ++group) {
      heads[group] = word_at<2>(words + 8, group / 2) >> (16 * (group % 2));
      const F32 scale = d * to_float((I32)scale_of(heads[group]));
      sink.min(group, (heads[group] & 0x8000U) != 0U ? scale * -1.125F : scale * -0.875F);
    }
    for (int group = 0; group < 8; group += 2) {
      const U32 low[2] = {word_at<2>(words, group), word_at<2>(words, group + 1)};
      const U32 high[2] = {spread<0, 3>(heads[group]), spread<0, 3>(heads[group + 1])};
      U32 codes[2][2];
      lookup_entries<quant::kIQ1Codes>(low, high, codes);
      for (int g = 0; g < 2; ++g) {
        const U32 scale = in_both_halves(scale_of(heads[group + g]));
        for_constants<8>([&](auto i) {
          sink.codes(8 * (group + g) + i, scaled_codes(spread<i / 2 * 8, 2>(codes[g][i % 2]), scale));
        });
        sink.end_group(group + g);
      }
    }
  }

 private:
  static U32 scale_of(U32 head) noexcept { return (head >> 11 & 14U) | 1U; }
};

// The shift is one for 8 values: code = (4 * (value + 1) + 1 or 0) * scale, in quarters of d.
struct IQ1_M {
  static constexpr int kBytes = 56, kValues = 256, kGroup = 256, kMin = 16, kOffsetBits = 0, kCodeBits = 8;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const U32* scales = words + 12;
    const F32 d = half_to_float((scales[0] >> 12 & 0xFU) | (scales[0] >> 24 & 0xF0U) |
                                (scales[1] >> 4 & 0xF00U) | (scales[1] >> 16 & 0xF000U));
    sink.scale(0, d * 0.25F);
    for (int group = 0; group < 16; ++group) {
      sink.min(group, d * to_float((I32)scale_of(scales, group)) * -1.125F);
    }
    for (int block = 0; block < 8; block += 2) {
      const U32 heads[2] = {words[8 + block / 2], words[8 + block / 2] >> 16};
      const U32 low[2] = {words[block], words[block + 1]};
      const U32 high[2] = {spread<0, 4>(heads[0]), spread<0, 4>(heads[1])};
      U32 codes[2][2];
      lookup_entries<quant::kIQ1Codes>(low, high, codes);
      for (int b = 0; b < 2; ++b) {
        const U32 two_scales[2] = {in_both_halves(scale_of(scales, 2 * (block + b))),
                                   in_both_halves(scale_of(scales, 2 * (block + b) + 1))};
        for_constants<8>([&](auto i) {
          constexpr int k = i / 2;
          const U32 scale = two_scales[k / 2];
          const U32 no_quarter = (U32)((I32)(heads[b] << (28 - 4 * k)) >> 31);
          const U32 quarter = (scale | scale << 8) & ~no_quarter;
          sink.codes(8 * (block + b) + i,
                     scaled_codes(spread<8 * k, 2>(codes[b][i % 2]), scale << 2) + quarter);
        });
        sink.end_group(block + b);
      }
    }
  }

 private:
  static U32 scale_of(const U32* scales, int group) noexcept {
    return (scales[group / 8] >> (group % 8 / 4 * 16 + group % 4 * 3) & 7U) << 1 | 1U;
  }
};

// ---- IQ2: scale * signed magnitude, entries of 8 magnitude numbers of 2 bits ----

constexpr SignedLevels kIQ2Levels = signed_levels({8, 25, 43, 0}, 64);

// Scales are d * (code + 1/2) * unit.
inline F32 half_step_scale(F32 half_unit_d, U32 code) noexcept {
  return half_unit_d * to_float((I32)(code << 1 | 1U));
}

// Scales of 4 bits for 16 groups of 16, in two words.
template <int kSkew, class Sink>
inline void put_nibble_scales(F32 half_unit_d, const U32* words, Sink& sink) noexcept {
  for (int half = 0; half < 2; ++half) {
    const U32 scales = word_at<kSkew>(words, half);
    for (int i = 0; i < 8; ++i)
      sink.scale(8 * half + i, half_step_scale(half_unit_d, scales >> (4 * i) & 15U));
  }
}

// Where the four entries of 32 values are in the bytes of a word.
struct InOrder {
  static constexpr int kByte[4] = {0, 1, 2, 3};
};
struct FirstPairInEvenBytes {
  static constexpr int kByte[4] = {0, 2, 1, 3};
};

template <int kGroup, class Order, class Sink>
inline void put_iq2(const U32 (&codes)[2], U32 signs, int block, Sink& sink) noexcept {
  for_constants<4>([&](auto k) {
    constexpr int kBit = 8 * Order::kByte[k];
    sink.codes(8 * block + 2 * k, lookup_signed<2, 2, kBit, kBit>(kIQ2Levels.codes, codes[0], signs));
    sink.codes(8 * block + 2 * k + 1, lookup_signed<2, 2, kBit, kBit + 4>(kIQ2Levels.codes, codes[1], signs));
    if constexpr (kGroup == 16 && k % 2 == 1) sink.end_group(2 * block + k / 2);
  });
  if constexpr (kGroup == 32) sink.end_group(block);
}

struct IQ2_XXS {
  static constexpr int kBytes = 66, kValues = 256, kGroup = 32, kMin = 0, kOffsetBits = 6;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 eighth_d = half_at(words, 0) * 0.125F;
    for (int group = 0; group < 8; ++group) {
      sink.scale(group, half_step_scale(eighth_d, word_at<2>(words, 2 * group + 1) >> 28));
    }
    for (int group = 0; group < 8; ++group) {
      const U32 low[1] = {word_at<2>(words, 2 * group)};
      U32 codes[1][2];
      lookup_entries<quant::kIQ2XXSCodes>(low, {U32{}}, codes);
      const U32 signs = even_signs(spread<0, 7>(word_at<2>(words, 2 * group + 1)));
      put_iq2<kGroup, InOrder>(codes[0], signs, group, sink);
    }
  }
};

struct IQ2_XS {
  static constexpr int kBytes = 74, kValues = 256, kGroup = 16, kMin = 0, kOffsetBits = 6;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    put_nibble_scales<2>(half_at(words, 0) * 0.125F, words + 16, sink);
    for (int block = 0; block < 8; block += 2) {
      U32 low[2];
      U32 high[2];
      for (int b = 0; b < 2; ++b) {
        const U32 first = word_at<2>(words, 2 * (block + b));
        const U32 second = word_at<2>(words, 2 * (block + b) + 1);
        low[b] = (first & kEvenBytes) | (second & kEvenBytes) << 8;
        high[b] = (first >> 8 & kEvenBytes) | (second & ~kEvenBytes);
      }
      U32 codes[2][2];
      lookup_entries<quant::kIQ2XSCodes>(low, high, codes);
      for (int b = 0; b < 2; ++b) {
        put_iq2<kGroup, FirstPairInEvenBytes>(codes[b], even_signs(high[b] >> 1), block + b, sink);
      }
    }
  }
};

struct IQ2_S {
  static constexpr int kBytes = 82, kValues = 256, kGroup = 16, kMin = 0, kOffsetBits = 6;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    put_nibble_scales<2>(half_at(words, 0) * 0.125F, words + 18, sink);
    for (int block = 0; block < 8; block += 2) {
      const U32 high_bits = word_at<2>(words + 16, block / 4) >> (block % 4 * 8);
      const U32 low[2] = {word_at<2>(words, block), word_at<2>(words, block + 1)};
      const U32 high[2] = {spread<0, 2>(high_bits), spread<8, 2>(high_bits)};
      U32 codes[2][2];
      lookup_entries<quant::kIQ2SCodes>(low, high, codes);
      for (int b = 0; b < 2; ++b) {
        put_iq2<kGroup, InOrder>(codes[b], word_at<2>(words + 8, block + b), block + b, sink);
      }
    }
  }
};

// ---- IQ3: scale * signed magnitude, entries of 4 magnitude numbers of 3 bits, 4 bits apart ----

constexpr SignedLevels kIQ3XXSLevels = signed_levels({4, 12, 20, 28, 36, 44, 52, 62}, 64);
constexpr SignedLevels kIQ3SLevels = signed_levels({1, 3, 5, 7, 9, 11, 13, 15}, 16);

// A group of 32: eight entries and the signs of their values.
template <class Sink>
inline void put_iq3(const SignedLevels& levels, const U32 (&codes)[2][2], U32 signs, int group,
                    Sink& sink) noexcept {
  for_constants<2>([&](auto half) {
    const auto& [low, high] = codes[half];
    const U32 entries[2] = {(low & kEvenBytes) | (high & kEvenBytes) << 8,
                            (low >> 8 & kEvenBytes) | (high & ~kEvenBytes)};
    for_constants<4>([&](auto k) {
      sink.codes(8 * group + 4 * half + k,
                 lookup_signed<3, 4, k / 2 * 16, 16 * half + 4 * k>(levels.codes, entries[k % 2], signs));
    });
  });
  sink.end_group(group);
}

struct IQ3_XXS {
  static constexpr int kBytes = 98, kValues = 256, kGroup = 32, kMin = 0, kOffsetBits = 6;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 quarter_d = half_at(words, 0) * 0.25F;
    for (int group = 0; group < 8; ++group) {
      sink.scale(group, half_step_scale(quarter_d, word_at<2>(words + 16, group) >> 28));
    }
    for (int group = 0; group < 8; ++group) {
      const U32 low[2] = {word_at<2>(words, 2 * group), word_at<2>(words, 2 * group + 1)};
      U32 codes[2][2];
      lookup_entries<quant::kIQ3XXSCodes>(low, {U32{}, U32{}}, codes);
      put_iq3(kIQ3XXSLevels, codes, even_signs(spread<0, 7>(word_at<2>(words + 16, group))), group, sink);
    }
  }
};

struct IQ3_S {
  static constexpr int kBytes = 110, kValues = 256, kGroup = 32, kMin = 0, kOffsetBits = 4;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    const F32 d = half_at(words, 0);
    const U32 scales = word_at<2>(words + 26, 0);
    for (int group = 0; group < 8; ++group) {
      sink.scale(group, half_step_scale(d, scales >> (4 * group) & 15U));
    }
    for (int group = 0; group < 8; ++group) {
      const U32 high_bits = word_at<2>(words + 16, group / 4) >> (8 * (group % 4));
      const U32 low[2] = {word_at<2>(words, 2 * group), word_at<2>(words, 2 * group + 1)};
      const U32 high[2] = {spread<0, 1>(high_bits), spread<4, 1>(high_bits)};
      U32 codes[2][2];
      lookup_entries<quant::kIQ3SCodes>(low, high, codes);
      put_iq3(kIQ3SLevels, codes, word_at<2>(words + 18, group), group, sink);
    }
  }
};

}  // namespace
}  // namespace cistern::kernels
