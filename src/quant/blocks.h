// The packed layouts of the block-quantized GGUF types, as plain structs of bytes: sizeof is the size in the
// file, alignment is 1, and `kValues` is the number of values per block. Used by the codecs here and by
// kernels/ that read rows in place. No behaviour beyond reading the little-endian scalars; docs/formats.md is
// the same in prose. The layouts are facts of the GGUF ecosystem (ggml-common.h) and never change.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/half.h"

namespace cistern::quant {

static_assert(std::endian::native == std::endian::little,
              "packed scalars are read in the byte order of the file");

// binary16 at any alignment.
struct PackedHalf {
  std::uint8_t bytes[2];

  std::uint16_t bits() const noexcept { return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8U); }
  float value() const noexcept { return half_to_float(bits()); }
  void set(float value) noexcept {
    const std::uint16_t half = float_to_half(value);
    bytes[0] = static_cast<std::uint8_t>(half & 0xFFU);
    bytes[1] = static_cast<std::uint8_t>(half >> 8U);
  }
};

// In all 32-value blocks, value j is in the low nibble of qs[j] and value j + 16 in the high one; fifth bits
// are bit j of the little-endian word qh.
struct BlockQ4_0 {  // d * (q - 8)
  static constexpr std::uint32_t kValues = 32;
  PackedHalf d;
  std::uint8_t qs[16];
};

struct BlockQ4_1 {  // d * q + m
  static constexpr std::uint32_t kValues = 32;
  PackedHalf d;
  PackedHalf m;
  std::uint8_t qs[16];
};

struct BlockQ5_0 {  // d * (q - 16)
  static constexpr std::uint32_t kValues = 32;
  PackedHalf d;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};

struct BlockQ5_1 {  // d * q + m
  static constexpr std::uint32_t kValues = 32;
  PackedHalf d;
  PackedHalf m;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};

struct BlockQ8_0 {  // d * q
  static constexpr std::uint32_t kValues = 32;
  PackedHalf d;
  std::int8_t qs[32];
};

// The K types: 256 values in groups of 16 or 32, each group with its own small integer scale. Codes of 2
// bits: byte 32 * (i / 128) + i % 32, bits 2 * (i / 32 % 4); of 4 bits: byte 32 * (i / 64) + i % 32, nibble i
// / 32 % 2.
struct BlockQ2_K {  // (d * scale) * q - (dmin * min), 16 groups of 16
  static constexpr std::uint32_t kValues = 256;
  std::uint8_t scales[16];  // low nibble: scale; high nibble: min
  std::uint8_t qs[64];
  PackedHalf d;
  PackedHalf dmin;
};

struct BlockQ3_K {  // (d * (scale - 32)) * (q - 4), 16 groups of 16
  static constexpr std::uint32_t kValues = 256;
  std::uint8_t hmask[32];  // bit i / 32 of byte i % 32: third bit of the code
  std::uint8_t qs[64];
  std::uint8_t scales[12];  // 6 bits each: 16 low nibbles, then 16 pairs of high bits
  PackedHalf d;
};

struct BlockQ4_K {  // (d * scale) * q - (dmin * min), 8 groups of 32
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  PackedHalf dmin;
  std::uint8_t scales[12];  // 8 scales and 8 mins of 6 bits
  std::uint8_t qs[128];
};

struct BlockQ5_K {  // as Q4_K with a fifth bit
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  PackedHalf dmin;
  std::uint8_t scales[12];
  std::uint8_t qh[32];  // bit i / 32 of byte i % 32
  std::uint8_t qs[128];
};

struct BlockQ6_K {  // (d * scale) * (q - 32), 16 groups of 16
  static constexpr std::uint32_t kValues = 256;
  std::uint8_t ql[128];  // low nibbles: byte 64 * (i / 128) + i % 64, nibble i / 64 % 2
  std::uint8_t qh[64];   // high pairs, as 2-bit codes
  std::int8_t scales[16];
  PackedHalf d;
};

// The I types pick vectors of 8 (IQ1, IQ2) or 4 (IQ3) magnitudes from a codebook (codebooks.h).
struct BlockIQ1_S {  // 8 groups of 32
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  std::uint8_t qs[32];  // low 8 bits of the 11-bit codebook indices
  std::uint8_t qh[16];  // per group a word: 4 x 3 high index bits, 3 bits scale, 1 bit sign of the shift
};

struct BlockIQ1_M {  // 16 groups of 16; d is spread over the top nibbles of the scale words
  static constexpr std::uint32_t kValues = 256;
  std::uint8_t qs[32];
  std::uint8_t qh[16];     // per 8 values a nibble: 3 high index bits, 1 bit sign of the shift
  std::uint8_t scales[8];  // four words of 4 x 3 bits, top nibble: a quarter of d
};

struct BlockIQ2_XXS {  // 8 groups of 32
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  std::uint8_t qs[64];  // per group: 4 index bytes, then a word of 4 x 7 sign bits and 4 bits scale
};

struct BlockIQ2_XS {  // 16 groups of 16
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  std::uint8_t qs[64];     // per 8 values a word: 9 bits index, 7 bits signs
  std::uint8_t scales[8];  // a nibble per group
};

struct BlockIQ2_S {  // 16 groups of 16
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  std::uint8_t qs[32];  // low 8 bits of the 10-bit indices
  std::uint8_t signs[32];
  std::uint8_t qh[8];  // high 2 bits
  std::uint8_t scales[8];
};

struct BlockIQ3_XXS {  // 8 groups of 32
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  std::uint8_t qs[64];                // indices, one per 4 values
  std::uint8_t scales_and_signs[32];  // per group a word of 4 x 7 sign bits and 4 bits scale
};

struct BlockIQ3_S {  // 8 groups of 32
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  std::uint8_t qs[64];  // low 8 bits of the 9-bit indices
  std::uint8_t qh[8];   // high bit
  std::uint8_t signs[32];
  std::uint8_t scales[4];  // a nibble per group
};

struct BlockIQ4_NL {  // d * kIQ4Values[q]
  static constexpr std::uint32_t kValues = 32;
  PackedHalf d;
  std::uint8_t qs[16];
};

struct BlockIQ4_XS {  // (d * (scale - 32)) * kIQ4Values[q], 8 groups of 32, each packed like IQ4_NL
  static constexpr std::uint32_t kValues = 256;
  PackedHalf d;
  std::uint8_t scales_h[2];  // high 2 bits of the scales
  std::uint8_t scales_l[4];  // low nibbles
  std::uint8_t qs[128];
};

struct BlockTQ1_0 {  // d * (trit - 1); five trits per byte as a fixed-point fraction of 256
  static constexpr std::uint32_t kValues = 256;
  std::uint8_t qs[48];  // bytes 0..31 hold values 0..159, 32 apart; bytes 32..47 values 160..239, 16 apart
  std::uint8_t qh[4];   // values 240..255, 4 apart (four trits per byte)
  PackedHalf d;
};

struct BlockTQ2_0 {  // d * (q - 1), 2-bit codes as in the K types
  static constexpr std::uint32_t kValues = 256;
  std::uint8_t qs[64];
  PackedHalf d;
};

struct BlockMXFP4 {  // 2^(e - 127) * e2m1 (OCP MX)
  static constexpr std::uint32_t kValues = 32;
  std::uint8_t e;
  std::uint8_t qs[16];
};

struct BlockNVFP4 {  // 4 groups of 16: ue4m3 * e2m1; nibbles as in 32-value blocks, but 8 apart
  static constexpr std::uint32_t kValues = 64;
  std::uint8_t d[4];
  std::uint8_t qs[32];
};

struct BlockQ1_0 {  // bit ? d : -d
  static constexpr std::uint32_t kValues = 128;
  PackedHalf d;
  std::uint8_t qs[16];  // bit i % 8 of byte i / 8
};

struct BlockQ2_0 {  // d * (q - 1)
  static constexpr std::uint32_t kValues = 64;
  PackedHalf d;
  std::uint8_t qs[16];  // bits 2 * (i % 4) of byte i / 4
};

}  // namespace cistern::quant
