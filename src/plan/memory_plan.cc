#include "plan/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/planner.h"
#include "plan/streaming_plan.h"
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

// A budget that will do: no less is printed, in whole MiB or tenths of a GiB, and what the process holds
// already may be a little more in the next run.
std::string describe_least(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = 1ULL << 20U, kGiB = 1ULL << 30U;
  const std::uint64_t step = bytes < kGiB ? kMiB : kGiB / 10 + 1;
  return describe_bytes(((bytes + kMiB) / step + 1) * step);
}

// Of models whose weights all stay in memory.
class ResidentPlanner {
 public:
  ResidentPlanner(const Planner& planner, std::uint32_t chunk_tokens)
      : planner_(planner), size_{.chunk_tokens = chunk_tokens, .block_tokens = chunk_tokens} {}

  Result<MemoryPlan> plan() const {
    const std::uint32_t asked = planner_.workload().context_tokens;
    if (asked > 0) {
      MemoryPlan plan = with_context(asked);
      if (plan.total_bytes() > planner_.machine().budget_bytes) return refuse(asked);
      return plan;
    }
    const std::uint32_t wanted = planner_.most_context();
    const std::uint32_t largest = largest_context(wanted);
    const std::uint32_t least = std::min(wanted, kSmallestUsefulContext);
    if (largest < least) return refuse(least);
    return with_context(largest);
  }

 private:
  MemoryPlan with_context(std::uint32_t context_tokens) const {
    return planner_.with_context(context_tokens, size_);
  }

  // The largest context up to `most` that fits; 0: none does.
  std::uint32_t largest_context(std::uint32_t most) const {
    std::uint32_t fits = 0;
    std::uint64_t too_many = std::uint64_t{most} + 1;
    while (fits + std::uint64_t{1} < too_many) {
      const auto middle = static_cast<std::uint32_t>(fits + (too_many - fits) / 2);
      if (with_context(middle).total_bytes() <= planner_.machine().budget_bytes) {
        fits = middle;
      } else {
        too_many = middle;
      }
    }
    return fits;
  }

  std::unexpected<Error> refuse(std::uint32_t context_tokens) const {
    const Machine& machine = planner_.machine();
    const MemoryPlan plan = with_context(context_tokens);
    std::string message = fmt::format(
        "does not fit: {} weights + {} KV cache for {} tokens + {} buffers + {} overhead = {}, but the "
        "budget is {} ({})",
        describe_bytes(plan.weights_bytes), describe_bytes(plan.kv_bytes), context_tokens,
        describe_bytes(plan.buffer_bytes), describe_bytes(plan.overhead_bytes),
        describe_bytes(plan.total_bytes()), describe_bytes(machine.budget_bytes), machine.budget_source);
    const std::uint32_t largest = largest_context(context_tokens);
    if (largest > 0) {
      message += fmt::format("; the largest context that fits is {} tokens: use --ctx {}", largest, largest);
    } else {
      const std::uint64_t least =
          planner_.workload().may_stream ? least_streaming_bytes(planner_) : with_context(1).total_bytes();
      message += fmt::format(
          "; no context fits, the least that would do is {}{}: use a smaller model or quantization",
          describe_least(least), planner_.workload().may_stream ? ", streaming the weights from disk" : "");
    }
    return fail(ErrorCode::kMemory, std::move(message));
  }

  const Planner& planner_;
  ChunkSize size_;
};

Result<MemoryPlan> plan_resident(const Planner& planner) {
  // Speed is worth memory only as long as it costs no context.
  const std::uint32_t chunk = wanted_chunk(planner.model());
  auto plan = ResidentPlanner(planner, chunk).plan();
  if (chunk == kChunkTokens || (plan && (planner.workload().context_tokens > 0 ||
                                         plan->cache.context_tokens == planner.most_context())))
    return plan;
  return ResidentPlanner(planner, kChunkTokens).plan();
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
  const Planner planner(machine, model, inventory, workload);
  const MemoryPlan least = planner.with_context(1, {1, 1});
  CISTERN_TRY_VOID(kv::validate(least.cache));
  if (least.mtp) CISTERN_TRY_VOID(kv::validate(least.mtp->cache));
  auto plan = plan_resident(planner);
  if (plan) return planner.with_more_pages(*std::move(plan));
  if (!workload.may_stream || model.mtp) return plan;
  if (std::optional<MemoryPlan> streaming = plan_streaming(planner)) return *std::move(streaming);
  return plan;
}

std::string describe(const Streaming& streaming) {
  std::string text = fmt::format("{} of {} resident", describe_bytes(streaming.resident_bytes),
                                 describe_bytes(streaming.model_bytes));
  if (streaming.placement.cache_bytes > 0)
    text += fmt::format(", {} of experts cached", describe_bytes(streaming.placement.cache_bytes));
  return text + fmt::format(", {} read per token", describe_bytes(streaming.token_bytes));
}

std::string describe(const MemoryPlan& plan) {
  const auto line = [](std::string_view what, std::uint64_t bytes, std::string_view note) {
    return fmt::format("  {:<9} {:>10}  {}\n", what, describe_bytes(bytes), note);
  };
  return "memory plan\n" +
         line("weights", plan.weights_bytes,
              fmt::format("{} layers{}, {}{}", plan.layers.size(),
                          plan.mtp ? " and one that guesses tokens" : "",
                          plan.streaming ? describe(*plan.streaming) : "mapped from the file",
                          plan.adapter_bytes == 0
                              ? ""
                              : fmt::format("; {} of them adapters", describe_bytes(plan.adapter_bytes)))) +
         line("KV cache", plan.kv_bytes,
              fmt::format("{} tokens{}, {}", plan.cache.context_tokens,
                          plan.paged ? fmt::format(" of a request, {} in all",
                                                   std::uint64_t{plan.paged->pages} * kv::kPageTokens)
                                     : "",
                          quant::format_of(plan.cache.type).name)) +
         line("buffers", plan.buffer_bytes,
              fmt::format("chunks of {} tokens, {} threads", plan.compute.chunk_tokens,
                          plan.compute.threads)) +
         line("overhead", plan.overhead_bytes, "the program itself") +
         line("total", plan.total_bytes(),
              fmt::format("of {} ({})", describe_bytes(plan.budget_bytes), plan.budget_source));
}

}  // namespace cistern::plan
