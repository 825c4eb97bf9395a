#include "ops/exec.h"

#include <algorithm>

#include "ops/attention_block.h"
#include "ops/matmul.h"

namespace cistern::ops {
namespace {

constexpr std::uint64_t kCacheLineFloats = 16;

}  // namespace

std::size_t scratch_floats(std::uint64_t max_cols, std::uint64_t tokens,
                           std::uint64_t max_head_dim) noexcept {
  const std::uint64_t matmul = matmul_scratch_floats(max_cols, tokens);
  const std::uint64_t needed = std::max(matmul, attention_scratch_floats(max_head_dim));
  return (needed + kCacheLineFloats - 1) / kCacheLineFloats * kCacheLineFloats;
}

Range share_of(std::uint64_t count, std::uint64_t grain, int index, int threads) noexcept {
  const std::uint64_t units = (count + grain - 1) / grain;
  const auto i = static_cast<std::uint64_t>(index);
  const auto n = static_cast<std::uint64_t>(threads);
  return {std::min(count, units * i / n * grain), std::min(count, units * (i + 1) / n * grain)};
}

}  // namespace cistern::ops
