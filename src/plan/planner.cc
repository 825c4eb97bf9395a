#include "plan/planner.h"

#include <algorithm>

#include "ops/delta_rule.h"
#include "ops/short_conv.h"

namespace cistern::plan {
namespace {

// Allocator slack, thread stacks as touched, file-system buffers.
constexpr std::uint64_t kRuntimeBytes = 8ULL << 20U;
// Sampler candidates and detokenizer state, per vocabulary entry.
constexpr std::uint64_t kSamplerBytesPerToken = 24;

// What a layer leaves behind.
kv::LayerShape cache_layer(const spec::ModelSpec& model, std::uint32_t li) {
  const spec::LayerSpec& layer = model.layers[li];
  kv::LayerShape shape;
  if (layer.attention && layer.attention->kv_layer == li) {
    const spec::AttentionSpec& a = *layer.attention;
    shape = {.n_kv_heads = a.n_kv_heads, .key_dim = a.head_dim, .value_dim = a.value_dim, .window = a.window};
  }
  if (layer.mla) {
    shape = {.n_kv_heads = 1,
             .key_dim = layer.mla->key_dim(),
             .value_dim = layer.mla->kv_rank,
             .values_in_keys = true};
    if (layer.mla->indexer && !layer.mla->indexer->shared) shape.index_dim = layer.mla->indexer->key_dim;
  }
  if (layer.compressed) {
    const spec::CompressedSpec& c = *layer.compressed;
    shape = {.n_kv_heads = 1,
             .key_dim = c.head_dim,
             .value_dim = c.head_dim,
             .window = c.window,
             .values_in_keys = true};
    if (c.ratio > 0) {
      shape.compressed_dim = c.head_dim;
      shape.compress_ratio = c.ratio;
      shape.state_floats = c.state_floats(c.head_dim);
    }
    if (c.indexer) {
      shape.index_dim = c.indexer->key_dim;
      shape.state_floats += c.state_floats(c.indexer->key_dim);
    }
  }
  if (layer.mamba2) shape.state_floats += layer.mamba2->state_floats();
  if (layer.short_conv) shape.state_floats += layer.short_conv->state_floats(model.dim);
  if (layer.delta_net) {
    const spec::DeltaNetSpec& d = *layer.delta_net;
    shape.state_floats += ops::conv_state_floats(d.conv_width, d.conv_dim()) +
                          ops::delta_state_floats(d.n_value_heads, d.key_dim, d.value_dim);
  }
  return shape;
}

}  // namespace

Planner::Planner(const Machine& machine, const spec::ModelSpec& model, const file::Inventory& inventory,
                 const Workload& workload)
    : machine_(machine), model_(model), inventory_(inventory), workload_(workload) {
  fixed_.layers.resize(model.layers.size());
  for (const spec::TensorSpec& tensor : model.tensors) {
    const file::TensorInfo* info = inventory.find(tensor.name);
    if (info == nullptr) continue;
    fixed_.weights_bytes += info->size_bytes;
    if (tensor.layer != spec::kNoLayer)
      fixed_.layers[static_cast<std::size_t>(tensor.layer)].weights += info->size_bytes;
  }
  for (const spec::AdapterSpec& adapter : workload.adapters) {
    for (const spec::LowRankPair& pair : adapter.pairs) {
      fixed_.adapter_bytes += pair.bytes;
      if (pair.layer != spec::kNoLayer)
        fixed_.layers[static_cast<std::size_t>(pair.layer)].weights += pair.bytes;
    }
  }
  fixed_.weights_bytes += fixed_.adapter_bytes;
  if (model.mtp) fixed_.weights_bytes += mtp_weight_bytes(model, inventory);
  fixed_.overhead_bytes = machine.process_bytes + kRuntimeBytes + kSamplerBytesPerToken * model.n_vocab;
  fixed_.budget_bytes = machine.budget_bytes;
  fixed_.budget_source = machine.budget_source;
  fixed_.reserved = workload.context_tokens > 0 && !workload.paged;
}

MemoryPlan Planner::with_context(std::uint32_t context_tokens, const ChunkSize& size) const {
  MemoryPlan plan = fixed_;
  plan.cache.type = workload_.kv_type;
  plan.cache.context_tokens = context_tokens;
  plan.cache.chunk_tokens = model_.causal ? std::min(size.chunk_tokens, context_tokens) : context_tokens;
  plan.cache.transient = !model_.causal;
  for (std::uint32_t li = 0; li < model_.layers.size(); ++li)
    plan.cache.layers.push_back(cache_layer(model_, li));
  if (workload_.paged && model_.causal) {
    const std::uint32_t least = kv::pages_of(context_tokens);
    plan.paged = {.pages = std::max(least, workload_.sequences), .caches = workload_.sequences + 1};
  }
  count_cache(plan);
  const std::uint32_t chunk = std::max(plan.cache.chunk_tokens, workload_.sequences);
  const std::uint32_t block = model_.causal ? std::max(size.block_tokens, workload_.sequences) : chunk;
  plan.compute = make_compute_layout(model_, {.chunk_tokens = chunk,
                                              .block_tokens = std::min(chunk, block),
                                              .max_sequences = workload_.sequences,
                                              .threads = workload_.threads,
                                              .context_tokens = context_tokens,
                                              .adapters = workload_.adapters});
  plan.buffer_bytes = plan.compute.total_bytes;
  if (model_.mtp) {
    plan.mtp = make_mtp_plan(model_, cache_layer(*model_.mtp, 0), plan.cache, plan.compute);
    plan.kv_bytes += kv::total_bytes(plan.mtp->cache);
    plan.buffer_bytes = plan.mtp->arena_bytes;
  }
  // A copy of the recurrent states, to return to when guessed tokens were wrong.
  for (const kv::LayerShape& layer : plan.cache.layers)
    plan.overhead_bytes += layer.state_floats * sizeof(float);
  return plan;
}

// What all sequences leave behind, in all and per layer.
void Planner::count_cache(MemoryPlan& plan) const {
  for (std::size_t li = 0; li < plan.layers.size(); ++li) {
    const kv::LayerShape& layer = plan.cache.layers[li];
    plan.layers[li].kv = plan.paged ? plan.paged->pages * kv::page_bytes(layer, plan.cache.type) +
                                          (std::uint64_t{plan.paged->caches} + plan.paged->checkpoints) *
                                              kv::own_bytes(layer, plan.cache)
                                    : kv::layer_bytes(layer, plan.cache) * workload_.sequences;
  }
  plan.kv_bytes =
      plan.paged ? plan.paged->bytes(plan.cache) : kv::total_bytes(plan.cache) * workload_.sequences;
}

MemoryPlan Planner::with_more_pages(MemoryPlan plan) const {
  if (!plan.paged) return plan;
  // Prompts that come again begin where one of so many left off.
  constexpr std::uint64_t kMostCheckpoints = 64;
  const std::uint64_t total = plan.total_bytes();
  std::uint64_t spare = plan.budget_bytes > total ? (plan.budget_bytes - total) / 2 : 0;
  if (const std::uint64_t own = kv::own_bytes(plan.cache); own > 0) {
    plan.paged->checkpoints = static_cast<std::uint32_t>(std::min(kMostCheckpoints, spare / 2 / own));
    spare -= plan.paged->checkpoints * own;
  }
  const std::uint64_t useful = std::uint64_t{workload_.sequences} * kv::pages_of(plan.cache.context_tokens);
  const std::uint64_t more = useful > plan.paged->pages ? useful - plan.paged->pages : 0;
  const std::uint64_t page = kv::page_bytes(plan.cache);  // 0: no layer keeps every token
  plan.paged->pages += static_cast<std::uint32_t>(page > 0 ? std::min(more, spare / page) : more);
  count_cache(plan);
  return plan;
}

}  // namespace cistern::plan
