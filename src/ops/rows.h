// How an op is dealt out that treats each row, or each head of a row, by itself. Internal to ops/.
#pragma once

#include <cstdint>

#include "ops/elementwise.h"
#include "ops/exec.h"

namespace cistern::ops {

// Runs f(token) for every row, split over the threads.
template <class F>
void for_rows(const Exec& exec, std::uint64_t rows, const F& f) {
  for_shares(exec, rows, 1, [&](int, Range range) {
    for (std::uint64_t t = range.begin; t < range.end; ++t) f(t);
  });
}

// Runs f(token, head) for every head, split over the threads by rows.
template <class F>
void for_heads(const Exec& exec, const HeadsView& heads, const F& f) {
  for_rows(exec, heads.rows.shape.rows(), [&](std::uint64_t t) {
    for (std::uint32_t hi = 0; hi < heads.n_heads; ++hi) f(t, hi);
  });
}

}  // namespace cistern::ops
