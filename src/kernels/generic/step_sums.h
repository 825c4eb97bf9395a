// The integer sums of a step by the ISA's Sum (int8_steps.h). Included inside a target region before
// multiply_int8.h, unless the ISA has a better way. Not a public header.
#pragma once

#include "kernels/generic/int8_steps.h"

namespace cistern::kernels {
namespace {

// sum[v][t]: rows row + v * kLanes.. of the panel times token t, over the columns of `step`.
template <class S, int T>
inline void sum_step(const Int8Panel& w, int row, const Int8Chunk* const (&x)[T], int step,
                     I32 (&sum)[kVectors][T]) noexcept {
  Sum<S::kCodeBits> sums[kVectors][T];
#pragma GCC unroll 8
  for (int i = 0; i < S::kQuads; ++i) {
    const int quad = step * S::kQuads + i;
    U32 codes[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) codes[v] = load_lanes<U32>(&w.codes[quad][row + v * kLanes]);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const U32 q = quad_of(*x[t], quad);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sums[v][t].add(codes[v], q);
    }
    if ((i + 1) % Sum<S::kCodeBits>::kMost == 0 || i + 1 == S::kQuads) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sums[v][t].widen();
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[v][t] = sums[v][t].total;
  }
}

}  // namespace
}  // namespace cistern::kernels
