// Unpackers of the 32-value block formats: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 (layouts: quant/blocks.h). Included
// after unpack.h, inside a target region. Not a public header.
#pragma once

#include "kernels/generic/unpack_bits.h"

namespace cistern::kernels {
namespace {

struct Q4_0 {
  static constexpr int kBytes = 18, kValues = 32, kGroup = 32, kMin = 0, kOffsetBits = 3;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for_blocks<kBytes>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
      sink.scale(b, half_at(block, skew));
      U32 qs[4];
      for (int i = 0; i < 4; ++i) qs[i] = word_at<(skew + 2) % 4>(block + (skew + 2) / 4, i);
      for (int i = 0; i < 4; ++i) sink.codes(8 * b + i, low_nibbles(qs[i]));
      for (int i = 0; i < 4; ++i) sink.codes(8 * b + 4 + i, high_nibbles(qs[i]));
      sink.end_group(b);
    });
  }
};

struct Q4_1 {
  static constexpr int kBytes = 20, kValues = 32, kGroup = 32, kMin = 32, kOffsetBits = 0, kCodeBits = 4;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for (int b = 0; b < n_values / 32; ++b) {
      const U32* block = words + 5 * b;
      sink.scale(b, half_at(block, 0));
      sink.min(b, half_at(block, 2));
      for (int i = 0; i < 4; ++i) sink.codes(8 * b + i, low_nibbles(block[1 + i]));
      for (int i = 0; i < 4; ++i) sink.codes(8 * b + 4 + i, high_nibbles(block[1 + i]));
      sink.end_group(b);
    }
  }
};

// A block of 32: 16 bytes of low nibbles, then high ones, and their fifth bits in a word.
template <class Sink>
__attribute__((always_inline)) inline void put_fifth_bits(const U32 (&qs)[4], U32 fifth, int block,
                                                          Sink& sink) noexcept {
  for_constants<4>(
      [&](auto i) { sink.codes(8 * block + i, low_nibbles(qs[i]) | spread<4 * i, 1, 4>(fifth)); });
  for_constants<4>(
      [&](auto i) { sink.codes(8 * block + 4 + i, high_nibbles(qs[i]) | spread<16 + 4 * i, 1, 4>(fifth)); });
  sink.end_group(block);
}

struct Q5_0 {
  static constexpr int kBytes = 22, kValues = 32, kGroup = 32, kMin = 0, kOffsetBits = 4;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for_blocks<kBytes>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
      sink.scale(b, half_at(block, skew));
      const U32 qh = word_at<(skew + 2) % 4>(block + (skew + 2) / 4, 0);
      U32 qs[4];
      for (int i = 0; i < 4; ++i) qs[i] = word_at<(skew + 6) % 4>(block + (skew + 6) / 4, i);
      put_fifth_bits(qs, qh, b, sink);
    });
  }
};

struct Q5_1 {
  static constexpr int kBytes = 24, kValues = 32, kGroup = 32, kMin = 32, kOffsetBits = 0, kCodeBits = 5;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for (int b = 0; b < n_values / 32; ++b) {
      const U32* block = words + 6 * b;
      sink.scale(b, half_at(block, 0));
      sink.min(b, half_at(block, 2));
      const U32 qs[4] = {block[2], block[3], block[4], block[5]};
      put_fifth_bits(qs, block[1], b, sink);
    }
  }
};

struct Q8_0 {
  static constexpr int kBytes = 34, kValues = 32, kGroup = 32, kMin = 0, kOffsetBits = 7;
  template <class Sink>
  static void unpack(const U32* words, int n_values, Sink& sink) noexcept {
    for_blocks<kBytes>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
      sink.scale(b, half_at(block, skew));
      for (int i = 0; i < 8; ++i) {
        sink.codes(8 * b + i, word_at<(skew + 2) % 4>(block + (skew + 2) / 4, i) ^ 0x80808080U);
      }
      sink.end_group(b);
    });
  }
};

}  // namespace
}  // namespace cistern::kernels
