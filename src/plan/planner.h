// What a run takes beside its weights, for any context and any size of chunk: what the plans of models that
// fit and of those that are streamed have in common. Internal to plan/. Refers to what it was made from.
#pragma once

#include <algorithm>
#include <cstdint>

#include "plan/memory_plan.h"

namespace cistern::plan {

struct ChunkSize {
  std::uint32_t chunk_tokens = 0;  // that go through the model in one step
  std::uint32_t block_tokens = 0;  // of them, that go through a block together
};

class Planner {
 public:
  Planner(const Machine& machine, const spec::ModelSpec& model, const file::Inventory& inventory,
          const Workload& workload);

  // With all weights in memory.
  MemoryPlan with_context(std::uint32_t context_tokens, const ChunkSize& size) const;

  const Machine& machine() const { return machine_; }
  const spec::ModelSpec& model() const { return model_; }
  const file::Inventory& inventory() const { return inventory_; }
  const Workload& workload() const { return workload_; }

  // The same with as many pages and checkpoints as are of use and half of what is left of the budget holds.
  MemoryPlan with_more_pages(MemoryPlan plan) const;

  // The longest context that is of use.
  std::uint32_t most_context() const {
    const std::uint32_t limit = model_.context_tokens;
    return workload_.wanted_tokens > 0 ? std::min(limit, workload_.wanted_tokens) : limit;
  }

 private:
  void count_cache(MemoryPlan& plan) const;

  const Machine& machine_;
  const spec::ModelSpec& model_;
  const file::Inventory& inventory_;
  const Workload& workload_;
  MemoryPlan fixed_;  // what does not depend on the context
};

}  // namespace cistern::plan
