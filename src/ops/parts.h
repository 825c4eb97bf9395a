// How a product is dealt out to the threads: in parts that each takes as it is free. Shared by the products
// of this folder; internal to ops/.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/exec.h"

namespace cistern::ops {

// Parts per thread: enough that a slow core can leave some to the others.
inline constexpr std::uint64_t kPartsPerThread = 8;
// Fewer units than this for few rows take less time than handing them out is worth.
inline constexpr std::uint64_t kSmallPart = 4;
inline constexpr std::uint64_t kFewTokens = 4;

// Runs f(thread, group, units) on parts of `units` units (pairs of panels, tiles of rows) of each of
// `n_groups` groups until all are done; `rows` are the rows of the input, of all groups.
template <class F>
void for_group_parts(const Exec& exec, std::uint64_t n_groups, std::uint64_t units, std::uint64_t rows,
                     const F& f) {
  if (n_groups == 0 || units == 0) return;
  const auto threads = static_cast<std::uint64_t>(exec.threads());
  const std::uint64_t least = rows / n_groups <= kFewTokens ? kSmallPart : 1;
  const std::uint64_t size = std::min(units, std::max(least, units * n_groups / (threads * kPartsPerThread)));
  const std::uint64_t parts = (units + size - 1) / size;
  exec.pool->run_chunks(static_cast<std::uint32_t>(parts * n_groups), [&](int thread, std::uint32_t i) {
    const std::uint64_t begin = i % parts * size;
    f(thread, i / parts, Range{begin, std::min(begin + size, units)});
  });
}

// The same of one group: f(thread, units).
template <class F>
void for_parts(const Exec& exec, std::uint64_t units, std::uint64_t rows, const F& f) {
  for_group_parts(exec, 1, units, rows, [&](int thread, std::uint64_t, Range part) { f(thread, part); });
}

}  // namespace cistern::ops
