#include "plan/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ops/delta_rule.h"
#include "ops/short_conv.h"
#include "quant/format.h"

namespace cistern::plan {
namespace {

// Tokens of a prompt that go through the layers together, where a token sees only those before it.
constexpr std::uint32_t kChunkTokens = 256;
// With experts more, so that each is read for about so many tokens at once, where memory allows.
constexpr std::uint32_t kTokensPerExpert = 64;
constexpr std::uint32_t kMostChunkTokens = 1024;
// An automatic context below this is of no use unless less was wanted.
constexpr std::uint32_t kSmallestUsefulContext = 256;
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

// Tokens of a chunk that serve the model best.
std::uint32_t wanted_chunk(const spec::ModelSpec& model) {
  std::uint32_t chunk = kChunkTokens;
  for (const spec::LayerSpec& layer : model.layers) {
    if (!layer.ffn || !layer.ffn->moe) continue;
    const std::uint32_t per_expert = kTokensPerExpert * layer.ffn->moe->n_experts / layer.ffn->moe->n_used;
    chunk = std::clamp(per_expert, chunk, kMostChunkTokens);
  }
  return chunk;
}

class Planner {
 public:
  Planner(const Machine& machine, const spec::ModelSpec& model, const file::Inventory& inventory,
          const Workload& workload, std::uint32_t chunk_tokens)
      : machine_(machine), model_(model), workload_(workload), chunk_tokens_(chunk_tokens) {
    fixed_.layers.resize(model.layers.size());
    for (const spec::TensorSpec& tensor : model.tensors) {
      const file::TensorInfo* info = inventory.find(tensor.name);
      if (info == nullptr) continue;
      fixed_.weights_bytes += info->bytes.size();
      if (tensor.layer != spec::kNoLayer)
        fixed_.layers[static_cast<std::size_t>(tensor.layer)].weights += info->bytes.size();
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
  }

  MemoryPlan with_context(std::uint32_t context_tokens) const {
    MemoryPlan plan = fixed_;
    plan.cache.type = workload_.kv_type;
    plan.cache.context_tokens = context_tokens;
    plan.cache.chunk_tokens = model_.causal ? std::min(chunk_tokens_, context_tokens) : context_tokens;
    plan.cache.transient = !model_.causal;
    for (std::uint32_t li = 0; li < model_.layers.size(); ++li)
      plan.cache.layers.push_back(cache_layer(model_, li));
    for (std::size_t li = 0; li < plan.layers.size(); ++li) {
      plan.layers[li].kv = kv::layer_bytes(plan.cache.layers[li], plan.cache) * workload_.sequences;
    }
    plan.kv_bytes = kv::total_bytes(plan.cache) * workload_.sequences;
    plan.compute =
        make_compute_layout(model_, {.chunk_tokens = std::max(plan.cache.chunk_tokens, workload_.sequences),
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

  // The largest context up to `most` that fits; 0: none does.
  std::uint32_t largest_context(std::uint32_t most) const {
    std::uint32_t fits = 0;
    std::uint64_t too_many = std::uint64_t{most} + 1;
    while (fits + std::uint64_t{1} < too_many) {
      const auto middle = static_cast<std::uint32_t>(fits + (too_many - fits) / 2);
      if (with_context(middle).total_bytes() <= machine_.budget_bytes) {
        fits = middle;
      } else {
        too_many = middle;
      }
    }
    return fits;
  }

  std::unexpected<Error> refuse(std::uint32_t context_tokens) const {
    const MemoryPlan plan = with_context(context_tokens);
    std::string message = fmt::format(
        "does not fit: {} weights + {} KV cache for {} tokens + {} buffers + {} overhead = {}, but the "
        "budget is {} ({})",
        describe_bytes(plan.weights_bytes), describe_bytes(plan.kv_bytes), context_tokens,
        describe_bytes(plan.buffer_bytes), describe_bytes(plan.overhead_bytes),
        describe_bytes(plan.total_bytes()), describe_bytes(machine_.budget_bytes), machine_.budget_source);
    const std::uint32_t largest = largest_context(context_tokens);
    if (largest > 0) {
      message += fmt::format("; the largest context that fits is {} tokens: use --ctx {}", largest, largest);
    } else {
      message +=
          fmt::format("; no context fits, the least that would do is {}: use a smaller model or quantization",
                      describe_bytes(with_context(1).total_bytes()));
    }
    return fail(ErrorCode::kMemory, std::move(message));
  }

 private:
  const Machine& machine_;
  const spec::ModelSpec& model_;
  const Workload& workload_;
  std::uint32_t chunk_tokens_;
  MemoryPlan fixed_;  // what does not depend on the context
};

Result<MemoryPlan> plan_with_chunk(const Machine& machine, const spec::ModelSpec& model,
                                   const file::Inventory& inventory, const Workload& workload,
                                   std::uint32_t chunk_tokens) {
  const Planner planner(machine, model, inventory, workload, chunk_tokens);
  const MemoryPlan least_plan = planner.with_context(1);
  CISTERN_TRY_VOID(kv::validate(least_plan.cache));
  if (least_plan.mtp) CISTERN_TRY_VOID(kv::validate(least_plan.mtp->cache));

  if (workload.context_tokens > 0) {
    MemoryPlan plan = planner.with_context(workload.context_tokens);
    if (plan.total_bytes() > machine.budget_bytes) return planner.refuse(workload.context_tokens);
    return plan;
  }
  const std::uint32_t limit = model.context_tokens;
  const std::uint32_t wanted = workload.wanted_tokens > 0 ? std::min(limit, workload.wanted_tokens) : limit;
  const std::uint32_t largest = planner.largest_context(wanted);
  const std::uint32_t least = std::min(wanted, kSmallestUsefulContext);
  if (largest < least) return planner.refuse(least);
  return planner.with_context(largest);
}

}  // namespace

Result<MemoryPlan> make_plan(const Machine& machine, const spec::ModelSpec& model,
                             const file::Inventory& inventory, const Workload& workload) {
  const std::uint32_t limit = model.context_tokens;
  if (workload.context_tokens > limit) {
    return fail(ErrorCode::kUsage,
                fmt::format("a context of {} tokens was asked for, but the model was made for at "
                            "most {}: use --ctx {} or less",
                            workload.context_tokens, limit, limit));
  }
  // Speed is worth memory only as long as it costs no context.
  const std::uint32_t chunk = wanted_chunk(model);
  auto plan = plan_with_chunk(machine, model, inventory, workload, chunk);
  const std::uint32_t most = workload.wanted_tokens > 0 ? std::min(limit, workload.wanted_tokens) : limit;
  if (chunk == kChunkTokens || (plan && (workload.context_tokens > 0 || plan->cache.context_tokens == most)))
    return plan;
  return plan_with_chunk(machine, model, inventory, workload, kChunkTokens);
}

std::string describe(const MemoryPlan& plan) {
  const auto line = [](std::string_view what, std::uint64_t bytes, std::string_view note) {
    return fmt::format("  {:<9} {:>10}  {}\n", what, describe_bytes(bytes), note);
  };
  return "memory plan\n" +
         line("weights", plan.weights_bytes,
              fmt::format("{} layers{}, mapped from the file{}", plan.layers.size(),
                          plan.mtp ? " and one that guesses tokens" : "",
                          plan.adapter_bytes == 0
                              ? ""
                              : fmt::format("; {} of them adapters", describe_bytes(plan.adapter_bytes)))) +
         line("KV cache", plan.kv_bytes,
              fmt::format("{} tokens, {}", plan.cache.context_tokens,
                          quant::format_of(plan.cache.type).name)) +
         line("buffers", plan.buffer_bytes,
              fmt::format("chunks of {} tokens, {} threads", plan.compute.chunk_tokens,
                          plan.compute.threads)) +
         line("overhead", plan.overhead_bytes, "the program itself") +
         line("total", plan.total_bytes(),
              fmt::format("of {} ({})", describe_bytes(plan.budget_bytes), plan.budget_source));
}

std::string describe_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace cistern::plan
