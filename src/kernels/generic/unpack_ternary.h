// Unpackers of the types with one or two bits or one trit per value: TQ1_0, TQ2_0, Q1_0, Q2_0 (layouts:
// quant/blocks.h, values: quant/ternary.cc, quant/few_bit.cc). Included after unpack.h, inside a target
// region. The offset is 1 (kOffsetBits 0) although codes reach 3; code_bits() of generic/int8_steps.h allows
// for it. Not a public header.
#pragma once

#include "kernels/generic/unpack_bits.h"

namespace cistern::kernels {
namespace {

// The five trits of every byte (quant/ternary.cc), as 2-bit codes from bit 0 on.
constexpr std::array<std::uint16_t, 256> kTrits = [] {
  std::array<std::uint16_t, 256> trits{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int n = 0; n < 5; ++n) {
      trits[byte] = static_cast<std::uint16_t>(trits[byte] | (rest * 3 >> 8) << (2 * n));
      rest = rest * 3 & 0xFFU;
    }
  }
  return trits;
}();

struct TQ1_0 {
  static constexpr int kBytes = 54, kValues = 256, kGroup = 256, kMin = 0, kOffsetBits = 0;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    sink.scale(0, half_at(words, 52));
    U32 trits[13][2];
    for (int i = 0; i < 13; ++i) {
      const U32 bytes[1] = {words[i]};
      U32 of_word[1][2];
      lookup_entries<kTrits>(bytes, {U32{}}, of_word);
      for (int part = 0; part < 2; ++part) trits[i][part] = of_word[0][part];
    }
    for_constants<64>([&](auto quad) {
      // Values 0..159 are 32 apart in a byte, 160..239 16 apart, the last ones 4 apart.
      constexpr int kWord = quad < 40 ? quad % 8 : quad < 60 ? 8 + quad % 4 : 12;
      constexpr int kTrit = quad < 40 ? quad / 8 : quad < 60 ? (quad - 40) / 4 : quad - 60;
      sink.codes(quad, trits[kWord][kTrit / 4] >> (kTrit % 4 * 2) & 0x03030303U);
      if constexpr (quad % 8 == 7) sink.end_group(quad / 8);
    });
  }
};

struct TQ2_0 {
  static constexpr int kBytes = 66, kValues = 256, kGroup = 256, kMin = 0, kOffsetBits = 0;
  template <class Sink>
  static void unpack(const U32* words, int, Sink& sink) noexcept {
    sink.scale(0, half_at(words, 64));
    for_constants<8>([&](auto block) {
      const U32* qs = words + block / 4 * 8;
      for (int i = 0; i < 8; ++i) sink.codes(8 * block + i, qs[i] >> (block % 4 * 2) & 0x03030303U);
      sink.end_group(block);
    });
  }
};

// Codes are 0 and 2.
struct Q1_0 {
  static constexpr int kBytes = 18, kValues = 128, kGroup = 32, kMin = 0, kOffsetBits = 0;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for_blocks<kBytes>(words, n_values / kValues, [&](const U32* block, int b, auto skew) {
      for (int i = 0; i < 4; ++i) {
        const int group = 4 * b + i;
        sink.scale(group, half_at(block, skew));
        const U32 bits = word_at<(skew + 2) % 4>(block + (skew + 2) / 4, i);
        for_constants<8>([&](auto j) { sink.codes(8 * group + j, spread<4 * j, 1, 1>(bits)); });
        sink.end_group(group);
      }
    });
  }
};

struct Q2_0 {
  static constexpr int kBytes = 18, kValues = 64, kGroup = 32, kMin = 0, kOffsetBits = 0;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for_blocks<kBytes>(words, n_values / kValues, [&](const U32* block, int b, auto skew) {
      for (int i = 0; i < 4; ++i) {
        const int group = 2 * b + i / 2;
        if (i % 2 == 0) sink.scale(group, half_at(block, skew));
        const U32 codes = word_at<(skew + 2) % 4>(block + (skew + 2) / 4, i);
        for_constants<4>([&](auto j) { sink.codes(16 * b + 4 * i + j, spread<8 * j, 2>(codes)); });
        if (i % 2 == 1) sink.end_group(group);
      }
    });
  }
};

}  // namespace
}  // namespace cistern::kernels
