// Unpackers of the 32-value block formats: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 (layouts: quant/blocks.h). Included
// after unpack.h, inside a target region. Not a public header.
#pragma once

#include "kernels/generic/unpack.h"

namespace cistern::kernels {
namespace {

void unpack_q4_0(const U32* words, int n_values, const Sink& sink) noexcept {
  for_blocks_of_32<18>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
    sink.scale(b, half_at(block, skew));
    for (int i = 0; i < 4; ++i) {
      const U32 qs = word_at<(skew + 2) % 4>(block + (skew + 2) / 4, i);
      sink.codes(8 * b + i, low_nibbles(qs));
      sink.codes(8 * b + 4 + i, high_nibbles(qs));
    }
  });
}

void unpack_q4_1(const U32* words, int n_values, const Sink& sink) noexcept {
  for (int b = 0; b < n_values / 32; ++b) {
    const U32* block = words + 5 * b;
    sink.scale(b, half_at(block, 0));
    sink.min(b, half_at(block, 2));
    for (int i = 0; i < 4; ++i) {
      sink.codes(8 * b + i, low_nibbles(block[1 + i]));
      sink.codes(8 * b + 4 + i, high_nibbles(block[1 + i]));
    }
  }
}

// Bits 0..3 of v as bit 4 of the four bytes.
inline U32 fifth_bits(U32 v) noexcept {
  return ((v & 15U) * 0x00204081U & 0x01010101U) << 4;
}

void unpack_q5_0(const U32* words, int n_values, const Sink& sink) noexcept {
  for_blocks_of_32<22>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
    sink.scale(b, half_at(block, skew));
    const U32 qh = word_at<(skew + 2) % 4>(block + (skew + 2) / 4, 0);
    for (int i = 0; i < 4; ++i) {
      const U32 qs = word_at<(skew + 6) % 4>(block + (skew + 6) / 4, i);
      sink.codes(8 * b + i, low_nibbles(qs) | fifth_bits(qh >> (4 * i)));
      sink.codes(8 * b + 4 + i, high_nibbles(qs) | fifth_bits(qh >> (16 + 4 * i)));
    }
  });
}

void unpack_q5_1(const U32* words, int n_values, const Sink& sink) noexcept {
  for (int b = 0; b < n_values / 32; ++b) {
    const U32* block = words + 6 * b;
    sink.scale(b, half_at(block, 0));
    sink.min(b, half_at(block, 2));
    for (int i = 0; i < 4; ++i) {
      sink.codes(8 * b + i, low_nibbles(block[2 + i]) | fifth_bits(block[1] >> (4 * i)));
      sink.codes(8 * b + 4 + i, high_nibbles(block[2 + i]) | fifth_bits(block[1] >> (16 + 4 * i)));
    }
  }
}

void unpack_q8_0(const U32* words, int n_values, const Sink& sink) noexcept {
  for_blocks_of_32<34>(words, n_values / 32, [&](const U32* block, int b, auto skew) {
    sink.scale(b, half_at(block, skew));
    for (int i = 0; i < 8; ++i) {
      sink.codes(8 * b + i, word_at<(skew + 2) % 4>(block + (skew + 2) / 4, i) ^ 0x80808080U);
    }
  });
}

}  // namespace
}  // namespace cistern::kernels
