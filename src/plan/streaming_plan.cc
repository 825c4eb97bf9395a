#include "plan/streaming_plan.h"

#include <algorithm>
#include <array>

#include "plan/placement.h"

namespace cistern::plan {
namespace {

// Every byte that is not a weight's is one more to be read for each token. So blocks are small, and what a
// long chunk costs, which lets a prompt pass the disk's bytes once, is bounded by parts of the budget.
constexpr std::array<std::uint32_t, 4> kBlockTokens = {256, 128, 64, 32};
constexpr std::uint64_t kBlockShare = 64;
constexpr std::uint32_t kMostChunkTokens = 2048;
constexpr std::uint64_t kChunkShare = 128;
// Of an automatic context.
constexpr std::uint32_t kUsualContext = 4096;
constexpr std::uint32_t kLeastContext = 256;
constexpr std::uint64_t kCacheShare = 4;

// What the plan takes beside weights.
std::uint64_t other_bytes(const MemoryPlan& plan) {
  return plan.kv_bytes + plan.buffer_bytes + plan.overhead_bytes + plan.adapter_bytes;
}

std::uint64_t budget_of(const Machine& machine) {
  return machine.budget_bytes - std::min(machine.budget_bytes, machine.mapping_bytes);
}

ChunkSize choose_chunk(const Planner& planner, std::uint32_t context_tokens) {
  const std::uint64_t budget = budget_of(planner.machine());
  const auto bytes_with = [&](std::uint32_t chunk, std::uint32_t block) {
    const MemoryPlan plan = planner.with_context(context_tokens, {chunk, block});
    return plan.buffer_bytes + plan.kv_bytes;
  };
  std::uint32_t block = kBlockTokens.back();
  const std::uint64_t least = bytes_with(1, 1);
  for (const std::uint32_t candidate : kBlockTokens) {
    if (bytes_with(candidate, candidate) - least > budget / kBlockShare) continue;
    block = candidate;
    break;
  }
  std::uint32_t chunk = kMostChunkTokens;
  const std::uint64_t with_block = bytes_with(block, block);
  while (chunk > block && bytes_with(chunk, block) - with_block > budget / kChunkShare) chunk /= 2;
  return {.chunk_tokens = chunk, .block_tokens = block};
}

// With as many weights as the rest of the budget holds. Nothing when that is not enough.
std::optional<MemoryPlan> place(const Planner& planner, MemoryPlan plan) {
  const std::uint64_t budget = budget_of(planner.machine());
  if (other_bytes(plan) >= budget) return std::nullopt;
  auto placement = place_weights(planner.model(), planner.inventory(), budget - other_bytes(plan),
                                 plan.compute.block_tokens);
  if (!placement) return std::nullopt;
  Streaming streaming{.model_bytes = plan.weights_bytes - plan.adapter_bytes};
  plan.weights_bytes = plan.adapter_bytes + placed_bytes(planner.inventory(), *placement);
  streaming.resident_bytes = file::lay_out(planner.inventory(), placement->resident).bytes;
  streaming.token_bytes = bytes_per_token(planner.inventory(), *placement);
  streaming.placement = *std::move(placement);
  plan.streaming = std::move(streaming);
  return plan;
}

}  // namespace

std::optional<MemoryPlan> plan_streaming(const Planner& planner) {
  const std::uint64_t budget = budget_of(planner.machine());
  const std::uint32_t asked = planner.workload().context_tokens;
  std::uint32_t context = asked > 0 ? asked : std::min(planner.most_context(), kUsualContext);
  const std::uint32_t least = asked > 0 ? asked : std::min(context, kLeastContext);
  for (;; context = std::max(least, context / 2)) {
    const MemoryPlan plan = planner.with_context(context, choose_chunk(planner, context));
    const bool affordable = asked > 0 || context == least || plan.kv_bytes <= budget / kCacheShare;
    if (affordable) {
      if (auto placed = place(planner, plan)) return placed;
    }
    if (context == least) break;
  }
  constexpr std::uint32_t kLeastBlock = kBlockTokens.back();
  return place(planner, planner.with_context(least, {kLeastBlock, kLeastBlock}));
}

std::uint64_t least_streaming_bytes(const Planner& planner) {
  const std::uint32_t asked = planner.workload().context_tokens;
  const std::uint32_t context = asked > 0 ? asked : std::min(planner.most_context(), kLeastContext);
  const std::uint32_t block = kBlockTokens.back();
  const MemoryPlan plan = planner.with_context(context, {block, block});
  return other_bytes(plan) + planner.machine().mapping_bytes +
         least_room(planner.model(), planner.inventory(), plan.compute.block_tokens);
}

}  // namespace cistern::plan
