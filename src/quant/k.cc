// The K types: 256 values under one or two half scales, refined by a small integer scale (and minimum) per
// group of 16 or 32 values. Products are taken in this order: half scale times group scale, then times the
// code.
#include "quant/codec.h"

namespace cistern::quant {
namespace {

// The 2-bit code of value i, and the byte that holds it.
int byte_of_pair(int i) {
  return 32 * (i / 128) + i % 32;
}
int pair_at(const std::uint8_t* qs, int i) {
  return qs[byte_of_pair(i)] >> (2 * (i / 32 % 4)) & 3;
}

// The low four bits of the code of value i of Q4_K and Q5_K.
int nibble_at(const std::uint8_t* qs, int i) {
  return qs[32 * (i / 64) + i % 32] >> (4 * (i / 32 % 2)) & 15;
}

// One bit per value, 32 bytes wide: bit i / 32 of byte i % 32.
int plane_bit(const std::uint8_t* plane, int i) {
  return plane[i % 32] >> (i / 32) & 1;
}

void decode_q2_k(const BlockQ2_K& block, float* out) noexcept {
  const float d = block.d.value();
  const float dmin = block.dmin.value();
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(block.scales[group] & 15);
    const float min = dmin * static_cast<float>(block.scales[group] >> 4);
    for (int i = 16 * group; i < 16 * (group + 1); ++i) {
      out[i] = scale * static_cast<float>(pair_at(block.qs, i)) - min;
    }
  }
}

void decode_q3_k(const BlockQ3_K& block, float* out) noexcept {
  const float d = block.d.value();
  for (int group = 0; group < 16; ++group) {
    const int low = block.scales[group % 8] >> (4 * (group / 8)) & 15;
    const int high = block.scales[8 + group % 4] >> (2 * (group / 4)) & 3;
    const float scale = d * static_cast<float>((low | high << 4) - 32);
    for (int i = 16 * group; i < 16 * (group + 1); ++i) {
      const int q = pair_at(block.qs, i) | plane_bit(block.hmask, i) << 2;
      out[i] = scale * static_cast<float>(q - 4);
    }
  }
}

// Scale and minimum of a group of Q4_K and Q5_K. Groups 0..3 have theirs in the low 6 bits of bytes 0..3
// and 4..7; those of groups 4..7 are nibbles of bytes 8..11 with the top 2 bits of the former.
struct ScaleAndMin {
  ScaleAndMin(const std::uint8_t (&packed)[12], int group)
      : scale(group < 4 ? packed[group] & 63 : (packed[group + 4] & 15) | packed[group - 4] >> 6 << 4),
        min(group < 4 ? packed[group + 4] & 63 : packed[group + 4] >> 4 | packed[group] >> 6 << 4) {}
  int scale;
  int min;
};

void decode_q4_k(const BlockQ4_K& block, float* out) noexcept {
  const float d = block.d.value();
  const float dmin = block.dmin.value();
  for (int group = 0; group < 8; ++group) {
    const ScaleAndMin packed(block.scales, group);
    const float scale = d * static_cast<float>(packed.scale);
    const float min = dmin * static_cast<float>(packed.min);
    for (int i = 32 * group; i < 32 * (group + 1); ++i) {
      out[i] = scale * static_cast<float>(nibble_at(block.qs, i)) - min;
    }
  }
}

void decode_q5_k(const BlockQ5_K& block, float* out) noexcept {
  const float d = block.d.value();
  const float dmin = block.dmin.value();
  for (int group = 0; group < 8; ++group) {
    const ScaleAndMin packed(block.scales, group);
    const float scale = d * static_cast<float>(packed.scale);
    const float min = dmin * static_cast<float>(packed.min);
    for (int i = 32 * group; i < 32 * (group + 1); ++i) {
      const int q = nibble_at(block.qs, i) | plane_bit(block.qh, i) << 4;
      out[i] = scale * static_cast<float>(q) - min;
    }
  }
}

void decode_q6_k(const BlockQ6_K& block, float* out) noexcept {
  const float d = block.d.value();
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(block.scales[group]);
    for (int i = 16 * group; i < 16 * (group + 1); ++i) {
      const int low = block.ql[64 * (i / 128) + i % 64] >> (4 * (i / 64 % 2)) & 15;
      out[i] = scale * static_cast<float>((low | pair_at(block.qh, i) << 4) - 32);
    }
  }
}

constexpr Format kFormats[] = {
    decoded_format<BlockQ2_K, decode_q2_k>(DType::kQ2_K, "Q2_K", 10),
    decoded_format<BlockQ3_K, decode_q3_k>(DType::kQ3_K, "Q3_K", 11),
    decoded_format<BlockQ4_K, decode_q4_k>(DType::kQ4_K, "Q4_K", 12),
    decoded_format<BlockQ5_K, decode_q5_k>(DType::kQ5_K, "Q5_K", 13),
    decoded_format<BlockQ6_K, decode_q6_k>(DType::kQ6_K, "Q6_K", 14),
};

}  // namespace

std::span<const Format> k_formats() noexcept {
  return kFormats;
}

}  // namespace cistern::quant
