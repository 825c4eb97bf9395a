// The integer sums of a step by matrix products: usmmla multiplies two rows of eight codes with two tokens'
// eight activations, 32 products where a dot product has 16. Included inside the target region before
// generic/multiply_int8.h. Not a public header.
#pragma once

#include <arm_neon.h>

#include "kernels/generic/int8_steps.h"

namespace cistern::kernels {
namespace {

// Eight activations from `quad` on of two tokens.
inline int8x16_t activations_of(const Int8Chunk& first, const Int8Chunk& second, int quad) noexcept {
  return vcombine_s8(vld1_s8(first.q + 4 * quad), vld1_s8(second.q + 4 * quad));
}

// sum[v][t]: rows row + v * kLanes.. of the panel times token t, over the columns of `step`.
template <class S, int T>
inline void sum_step(const Int8Panel& w, int row, const Int8Chunk* const (&x)[T], int step,
                     I32 (&sum)[kVectors][T]) noexcept {
  constexpr int kTokenPairs = (T + 1) / 2;  // the last token of an odd number is its own partner
  // Of two rows and two tokens: (row 0, token 0), (row 0, token 1), (row 1, token 0), (row 1, token 1).
  int32x4_t upper[kVectors][kTokenPairs];
  int32x4_t lower[kVectors][kTokenPairs];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 8
    for (int p = 0; p < kTokenPairs; ++p) upper[v][p] = lower[v][p] = vdupq_n_s32(0);
  }
#pragma GCC unroll 8
  for (int i = 0; i < S::kQuads; i += 2) {
    const int quad = step * S::kQuads + i;
    int8x16_t q[kTokenPairs];
#pragma GCC unroll 8
    for (int p = 0; p < kTokenPairs; ++p) {
      q[p] = activations_of(*x[2 * p], *x[2 * p + 1 < T ? 2 * p + 1 : 2 * p], quad);
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const uint32x4_t even = vld1q_u32(&w.codes[quad][row + v * kLanes]);
      const uint32x4_t odd = vld1q_u32(&w.codes[quad + 1][row + v * kLanes]);
      const uint8x16_t rows_01 = vreinterpretq_u8_u32(vzip1q_u32(even, odd));
      const uint8x16_t rows_23 = vreinterpretq_u8_u32(vzip2q_u32(even, odd));
#pragma GCC unroll 8
      for (int p = 0; p < kTokenPairs; ++p) {
        upper[v][p] = vusmmlaq_s32(upper[v][p], rows_01, q[p]);
        lower[v][p] = vusmmlaq_s32(lower[v][p], rows_23, q[p]);
      }
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const int p = t / 2;
      sum[v][t] =
          (I32)(t % 2 == 0 ? vuzp1q_s32(upper[v][p], lower[v][p]) : vuzp2q_s32(upper[v][p], lower[v][p]));
    }
  }
}

}  // namespace
}  // namespace cistern::kernels
