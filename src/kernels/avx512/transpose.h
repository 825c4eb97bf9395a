// Transposition of 32-bit words for AVX-512. Included inside a target region. Not a public header.
#pragma once

#include <immintrin.h>

namespace cistern::kernels {
namespace {

// In each quarter of four vectors, 4 x 4 words: word j of in[i] becomes word i of out[j].
inline void transpose_quarters(const __m512i (&in)[4], __m512i (&out)[4]) noexcept {
  const __m512i lo01 = _mm512_unpacklo_epi32(in[0], in[1]);
  const __m512i hi01 = _mm512_unpackhi_epi32(in[0], in[1]);
  const __m512i lo23 = _mm512_unpacklo_epi32(in[2], in[3]);
  const __m512i hi23 = _mm512_unpackhi_epi32(in[2], in[3]);
  out[0] = _mm512_unpacklo_epi64(lo01, lo23);
  out[1] = _mm512_unpackhi_epi64(lo01, lo23);
  out[2] = _mm512_unpacklo_epi64(hi01, hi23);
  out[3] = _mm512_unpackhi_epi64(hi01, hi23);
}

// Eight words of 16 rows: in[i] holds those of rows kLowRow[i] and, above, kLowRow[i] + 4; lane r of out[w]
// is word w of row r.
constexpr int kLowRow[8] = {0, 1, 2, 3, 8, 9, 10, 11};
inline void transpose_8_words(const __m512i (&in)[8], __m512i (&out)[8]) noexcept {
  // [0] words 0 and 4 of four rows and of the four after them, [1] words 1 and 5, ...
  __m512i first[4];
  __m512i second[4];
  transpose_quarters({in[0], in[1], in[2], in[3]}, first);
  transpose_quarters({in[4], in[5], in[6], in[7]}, second);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    out[i] = _mm512_shuffle_i32x4(first[i], second[i], 0x88);
    out[i + 4] = _mm512_shuffle_i32x4(first[i], second[i], 0xDD);
  }
}

}  // namespace
}  // namespace cistern::kernels
