#include "plan/mtp_plan.h"

#include <algorithm>

namespace cistern::plan {

std::uint64_t mtp_weight_bytes(const spec::ModelSpec& model, const file::Inventory& inventory) {
  std::uint64_t sum = 0;
  for (const spec::TensorSpec& tensor : model.mtp->tensors) {
    const bool shared =
        std::ranges::find(model.tensors, tensor.name, &spec::TensorSpec::name) != model.tensors.end();
    const file::TensorInfo* info = inventory.find(tensor.name);
    if (!shared && info != nullptr) sum += info->size_bytes;
  }
  return sum;
}

MtpPlan make_mtp_plan(const spec::ModelSpec& model, const kv::LayerShape& layer, const kv::CacheShape& cache,
                      const ComputeLayout& compute) {
  MtpPlan plan{.cache = cache};
  plan.cache.layers = {layer};
  const std::uint32_t block = std::min(cache.chunk_tokens, compute.block_tokens);
  plan.compute = make_compute_layout(*model.mtp, {.chunk_tokens = block,
                                                  .block_tokens = block,
                                                  .threads = compute.threads,
                                                  .context_tokens = cache.context_tokens});
  plan.hidden = std::max(compute.total_bytes, plan.compute.total_bytes);
  plan.hidden_rows = cache.chunk_tokens + 1;
  plan.arena_bytes = plan.hidden + aligned_bytes(std::uint64_t{model.dim} * plan.hidden_rows);
  return plan;
}

}  // namespace cistern::plan
