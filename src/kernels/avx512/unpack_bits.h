// What generic/unpack_bits.h has for every ISA, in fewer instructions of AVX-512 VBMI: bit fields move to
// bytes by one multishift, and codebooks are looked up by permutations of 128 bytes at a time, several times
// as fast as gathers. Included by lanes.h, inside the target region. Not a public header.
#pragma once

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "quant/codebooks.h"

namespace cistern::kernels {
namespace {

// Byte j of each lane: the 8 bits from bit kFirst + kStride * j of the lane on; bits beyond it are anything.
template <int kFirst, int kStride>
inline __m512i bits_to_bytes(U32 v) noexcept {
  constexpr auto kFrom = [](int j) { return static_cast<long long>((kFirst + kStride * j) & 63) << (8 * j); };
  constexpr long long kLow = kFrom(0) | kFrom(1) | kFrom(2) | kFrom(3);
  constexpr long long kHigh = kLow ^ 0x20202020;  // the other lane of the 64 bits
  return _mm512_multishift_epi64_epi8(_mm512_set1_epi64(kHigh << 32 | kLow), (__m512i)v);
}

template <int kFirst, int kBits, int kTo = 0>
inline U32 spread(U32 v) noexcept {
  constexpr std::uint32_t kMask = ((1U << kBits) - 1U) << kTo;
  return (U32)bits_to_bytes<kFirst - kTo, kBits>(v) & kMask * 0x01010101U;
}

// The 16 levels are repeated, so bits above the sign do no harm.
template <int kBits, int kStride, int kFirst, int kSign>
inline U32 lookup_signed(const std::uint8_t (&levels)[16], U32 codes, U32 signs) noexcept {
  const __m512i table = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(levels)));
  const __m512i low = _mm512_set1_epi8((1 << kBits) - 1);
  const __m512i code_bytes = bits_to_bytes<kFirst, kStride>(codes);
  const __m512i sign_bytes = bits_to_bytes<kSign - kBits, 1>(signs);
  constexpr int kChoose = 0xCA;  // low ? code_bytes : sign_bytes
  const __m512i index = _mm512_ternarylogic_epi32(low, code_bytes, sign_bytes, kChoose);
  return (U32)_mm512_permutexvar_epi8(index, table);
}

using Table128 = std::array<std::uint8_t, 128>;

// table[i % 128] for each byte i.
inline __m512i lookup_128(const std::uint8_t* table, U32 bytes) noexcept {
  return _mm512_permutex2var_epi8(_mm512_loadu_si512(table), (__m512i)bytes, _mm512_loadu_si512(table + 64));
}

alignas(64) constexpr Table128 kEvenSigns = [] {
  Table128 signs{};
  for (std::uint32_t i = 0; i < 128; ++i) signs[i] = static_cast<std::uint8_t>(quant::even_signs(i));
  return signs;
}();
inline U32 even_signs(U32 v) noexcept {
  return (U32)lookup_128(kEvenSigns.data(), v);
}

// ---- lookup_entries: a codebook is two tables of bytes, for the low and the high half of its entries ----

template <const auto& kCodebook, int kHalf>
constexpr auto half_table() noexcept {
  std::array<std::uint8_t, std::size(kCodebook)> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = static_cast<std::uint8_t>(kCodebook[i] >> (8 * kHalf) & 0xFFU);
  }
  return table;
}

// A table of 2048 whose blocks of 16 have at most two values, one after the other: the second one from place
// `second_from` on.
struct TwoValuedBlocks {
  alignas(64) Table128 first;
  alignas(64) Table128 second;
  alignas(64) Table128 second_from;
  bool exact;  // whether the table is like that
};

template <std::size_t kEntries>
constexpr TwoValuedBlocks two_valued_blocks(const std::array<std::uint8_t, kEntries>& table) noexcept {
  TwoValuedBlocks blocks{.first = {}, .second = {}, .second_from = {}, .exact = kEntries == 2048};
  for (std::size_t i = 0; blocks.exact && i < kEntries; ++i) {
    const std::size_t block = i / 16;
    if (i % 16 == 0) {
      blocks.first[block] = blocks.second[block] = table[i];
      blocks.second_from[block] = 16;
    } else if (table[i] != blocks.second[block]) {
      blocks.exact = blocks.second_from[block] == 16;
      blocks.second[block] = table[i];
      blocks.second_from[block] = static_cast<std::uint8_t>(i % 16);
    }
  }
  return blocks;
}

inline U32 lookup_blocks(const TwoValuedBlocks& blocks, U32 low, U32 high) noexcept {
  const U32 block = (low >> 4 & 0x0F0F0F0FU) | (high << 4 & 0x70707070U);
  const __mmask64 is_second =
      _mm512_cmpge_epu8_mask((__m512i)(low & 0x0F0F0F0FU), lookup_128(blocks.second_from.data(), block));
  return (U32)_mm512_mask_blend_epi8(is_second, lookup_128(blocks.first.data(), block),
                                     lookup_128(blocks.second.data(), block));
}

// The entries of the bytes of low[i]. Bit 7 of their numbers is in bits[i][0], bit 8 in bits[i][1], ...
// Several words at once share the loads of the table.
template <std::size_t kEntries, std::size_t kWords, std::size_t kBits>
__attribute__((always_inline)) inline void lookup_table(const std::uint8_t* table, const U32 (&low)[kWords],
                                                        const __mmask64 (&bits)[kWords][kBits],
                                                        __m512i (&entries)[kWords]) noexcept {
  if constexpr (kEntries == 128) {
    for (std::size_t i = 0; i < kWords; ++i) entries[i] = lookup_128(table, low[i]);
  } else {
    constexpr std::size_t kHalf = kEntries / 2;
    __m512i upper[kWords];
    lookup_table<kHalf>(table, low, bits, entries);
    lookup_table<kHalf>(table + kHalf, low, bits, upper);
    for (std::size_t i = 0; i < kWords; ++i) {
      entries[i] = _mm512_mask_blend_epi8(bits[i][std::countr_zero(kHalf) - 7], entries[i], upper[i]);
    }
  }
}

template <const auto& kCodebook, std::size_t kWords>
__attribute__((always_inline)) inline void lookup_entries(const U32 (&low)[kWords], const U32 (&high)[kWords],
                                                          U32 (&codes)[kWords][2]) noexcept {
  alignas(64) static constexpr auto kLow = half_table<kCodebook, 0>();
  alignas(64) static constexpr auto kHigh = half_table<kCodebook, 1>();
  static constexpr TwoValuedBlocks kHighBlocks = two_valued_blocks(kHigh);
  constexpr std::size_t kBits = std::countr_zero(kLow.size()) - 7;
  __mmask64 bits[kWords][kBits];
  for (std::size_t i = 0; i < kWords; ++i) {
    bits[i][0] = _mm512_movepi8_mask((__m512i)low[i]);
    for (std::size_t bit = 1; bit < kBits; ++bit) {
      const __m512i high_bit = _mm512_set1_epi8(static_cast<char>(1 << (bit - 1)));
      bits[i][bit] = _mm512_test_epi8_mask((__m512i)high[i], high_bit);
    }
  }
  __m512i entries[kWords];
  lookup_table<kLow.size()>(kLow.data(), low, bits, entries);
  for (std::size_t i = 0; i < kWords; ++i) codes[i][0] = (U32)entries[i];
  if constexpr (kHighBlocks.exact) {
    for (std::size_t i = 0; i < kWords; ++i) codes[i][1] = lookup_blocks(kHighBlocks, low[i], high[i]);
  } else {
    lookup_table<kHigh.size()>(kHigh.data(), low, bits, entries);
    for (std::size_t i = 0; i < kWords; ++i) codes[i][1] = (U32)entries[i];
  }
}

}  // namespace
}  // namespace cistern::kernels
