#include "engine/planning.h"

#include <fmt/format.h>

#include <algorithm>

#include "sys/memory_limits.h"
#include "sys/topology.h"

namespace cistern::engine {
namespace {

constexpr int kMaxThreads = 1024;
// Address space that a thread's stack reserves, whether it is used or not.
constexpr std::uint64_t kStackBytes = 8ULL << 20U;

std::uint64_t mapped_bytes(const file::ModelFiles& files) {
  std::uint64_t sum = 0;
  for (const sys::MappedFile& file : files.files) sum += file.bytes().size();
  return sum;
}

// The limits say what is left; a plan counts all that the process holds, so its own share is added back.
plan::Machine read_machine(const file::ModelFiles& files, const LoadOptions& options, int threads) {
  sys::MemoryLimits limits = sys::read_memory_limits();
  if (limits.address_space_bytes) {
    // The files are mapped already, and stacks reserve address space that they never touch.
    const std::uint64_t stacks = kStackBytes * static_cast<std::uint64_t>(threads);
    const std::uint64_t left = *limits.address_space_bytes + mapped_bytes(files);
    limits.address_space_bytes = left > stacks ? left - stacks : 0;
  }
  const std::uint64_t own = sys::current_rss_bytes();
  const std::uint64_t left = limits.budget_bytes();
  plan::Machine machine{.budget_bytes = left - std::min(left, options.reserved_bytes) + own,
                        .budget_source = limits.describe(),
                        .process_bytes = own + options.coming_bytes};
  if (limits.budget_bytes() == limits.address_space_bytes) machine.mapping_bytes = mapped_bytes(files);
  if (options.memory_bytes && *options.memory_bytes < machine.budget_bytes) {
    machine.budget_bytes = *options.memory_bytes;
    machine.budget_source = "as asked for with --memory";
    machine.mapping_bytes = 0;
  }
  return machine;
}

Result<int> choose_threads(int asked) {
  if (asked < 0 || asked > kMaxThreads) {
    return fail(
        ErrorCode::kUsage,
        fmt::format("{} threads were asked for; use 1 to {}, or 0 for one per core", asked, kMaxThreads));
  }
  return asked > 0 ? asked : sys::usable_cores();
}

// Where the layer that only guesses is too much, the model goes without.
Result<plan::MemoryPlan> make_plan(const plan::Machine& machine, spec::ModelSpec& model,
                                   const file::Inventory& inventory, const plan::Workload& workload) {
  auto planned = plan::make_plan(machine, model, inventory, workload);
  if (planned || !model.mtp || planned.error().code != ErrorCode::kMemory) return planned;
  model.mtp.reset();
  return plan::make_plan(machine, model, inventory, workload);
}

}  // namespace

Result<PlannedRun> plan_run(const file::ModelFiles& files, const std::string& path, spec::ModelSpec model,
                            const LoadOptions& options, std::span<const spec::AdapterSpec> adapters) {
  PlannedRun run{.model = std::move(model)};
  CISTERN_TRY(run.isa, sys::choose_isa(options.isa));
  CISTERN_TRY(run.threads, choose_threads(options.threads));
  if (!options.mtp) run.model.mtp.reset();
  const plan::Machine machine = read_machine(files, options, run.threads);
  auto planned = make_plan(machine, run.model, files.inventory,
                           {.context_tokens = options.context_tokens.value_or(0),
                            .wanted_tokens = options.wanted_tokens,
                            .kv_type = options.kv_type,
                            .threads = run.threads,
                            .sequences = options.sequences,
                            .paged = options.paged,
                            .adapters = adapters,
                            .may_stream = path != kGuide});
  if (!planned) return fail(planned.error().code, planned.error().message, path);
  run.plan = *std::move(planned);
  return run;
}

Result<PlannedRun> plan_run(const file::ModelFiles& files, const std::string& path, spec::ModelSpec model,
                            const LoadOptions& options) {
  return plan_run(files, path, std::move(model), options, {});
}

}  // namespace cistern::engine
