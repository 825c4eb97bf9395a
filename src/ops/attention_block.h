// Geometry of attention's working memory, shared by the op and by the scratch size that the planner asks for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cistern::ops {

// Keys are taken in blocks that begin at multiples of this position, whatever the chunk: the same query
// always sees the same blocks, so its result does not depend on how the prompt was cut.
inline constexpr std::uint64_t kKeyBlock = 64;

// Per thread: one block of decoded keys or values, scores of it, and per query head an accumulator, a running
// maximum and a running sum.
constexpr std::size_t attention_scratch_floats(std::uint64_t group, std::uint64_t max_head_dim) {
  return kKeyBlock * max_head_dim + group * (kKeyBlock + max_head_dim + 2);
}

}  // namespace cistern::ops
