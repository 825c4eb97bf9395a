// Bit fields and codebooks for the unpackers: the fields of a word spread over its bytes, and packed
// codebook entries (quant/codebook_codes.h) picked and expanded for all rows at once. spread, even_signs,
// lookup_entries and lookup_signed are portable templates over the vector type: an ISA that can do better
// overloads them for its own U32 (avx512/unpack_bits.h), and the overload is preferred. Included after
// unpack.h, inside a target region. Not a public header.
#pragma once

#include <utility>

#include "kernels/generic/unpack.h"

namespace cistern::kernels {
namespace {

// Calls f with 0, 1, ..., kCount - 1 as constants.
template <int kCount, class F>
inline void for_constants(const F& f) noexcept {
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) {
    (f(std::integral_constant<int, kIndex>{}), ...);
  }(std::make_integer_sequence<int, kCount>{});
}

typedef std::uint8_t U8 __attribute__((vector_size(sizeof(U32))));

constexpr std::uint32_t kEvenBytes = 0x00FF00FFU;

// Bit `from` becomes bit `to`.
inline U32 moved(U32 v, int from, int to) noexcept {
  return from < to ? v << (to - from) : v >> (from - to);
}

// The product of four codes and a scale, where each product fits its byte. `scale` is in both halves of the
// word: 16-bit multiplications are the fast ones.
inline U32 scaled_codes(U32 codes, U32 scale) noexcept {
  return (U32)((U16)codes * (U16)scale);
}
inline U32 in_both_halves(U32 v) noexcept {
  return v | v << 16;
}

// Spreads four neighbouring fields of kBits bits, the first at bit kFirst, over the four bytes: field j to
// the bits of byte j from kTo on. All other bits are zero.
template <int kFirst, int kBits, int kTo = 0, class Vector>
inline Vector spread(Vector v) noexcept {
  const Vector fields = v >> kFirst;
  if constexpr (kBits == 1) {
    return ((fields & 15U) * 0x00204081U & 0x01010101U) << kTo;
  } else {
    constexpr std::uint32_t kOne = (1U << kBits) - 1U;
    constexpr std::uint32_t kTwo = (1U << 2 * kBits) - 1U;
    const Vector pairs = (fields & kTwo) | (fields << (16 - 2 * kBits) & kTwo << 16);
    constexpr std::uint32_t kEven = kOne | kOne << 16;
    return ((pairs & kEven) | (pairs << (8 - kBits) & kEven << 8)) << kTo;
  }
}

// Of each byte the low seven bits and, as the eighth, their parity (quant::even_signs). The eighth bit given
// is ignored.
template <class Vector>
inline Vector even_signs(Vector v) noexcept {
  const Vector seven = v & 0x7F7F7F7FU;
  Vector parity = seven ^ seven >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return seven | (parity & 0x01010101U) << 7;
}

// Codebook entries of 16 bits, four for each word: byte k of codes[i][0] and codes[i][1] are the low and the
// high half of entry number `byte k of low[i] + 256 * byte k of high[i]`. Bits of `high` beyond the codebook
// are ignored.
template <const auto& kCodebook, std::size_t kWords, class Vector>
inline void lookup_entries(const Vector (&low)[kWords], const Vector (&high)[kWords],
                           Vector (&codes)[kWords][2]) noexcept {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, std::size(kCodebook)> table{};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = kCodebook[i];
    return table;
  }();
  constexpr auto kHighMask = static_cast<std::uint32_t>(std::size(kCodebook) / 256 - 1);
  for (std::size_t i = 0; i < kWords; ++i) {
    codes[i][0] = codes[i][1] = Vector{};
    for (int k = 0; k < 4; ++k) {
      const Vector index = (low[i] >> (8 * k) & 0xFFU) | (high[i] >> (8 * k) & kHighMask) << 8;
      const Vector entry = gather(kTable.data(), index);
      codes[i][0] |= (entry & 0xFFU) << (8 * k);
      codes[i][1] |= entry >> 8 << (8 * k);
    }
  }
}

// Codes of magnitudes and, kMagnitudes entries further on, of their negatives; repeated up to 16.
struct SignedLevels {
  std::uint8_t codes[16];
};

template <std::size_t kMagnitudes>
constexpr SignedLevels signed_levels(const std::uint8_t (&magnitudes)[kMagnitudes], int offset) noexcept {
  SignedLevels result{};
  for (std::size_t i = 0; i < 16; ++i) {
    const int magnitude = magnitudes[i % kMagnitudes];
    const bool negative = i / kMagnitudes % 2 == 1;
    result.codes[i] = static_cast<std::uint8_t>(offset + (negative ? -magnitude : magnitude));
  }
  return result;
}

// Four levels: magnitude j has its number in the kBits bits of `codes` at kFirst + kStride * j, its sign is
// bit kSign + j of `signs`. The bits between the numbers are zero.
template <int kBits, int kStride, int kFirst, int kSign, class Vector>
inline Vector lookup_signed(const std::uint8_t (&levels)[16], Vector codes, Vector signs) noexcept {
  return lookup_bytes(levels, spread<kFirst, kStride>(codes) | spread<kSign, 1, kBits>(signs));
}

}  // namespace
}  // namespace cistern::kernels
