#include "tools/plan_local.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "quant/format.h"
#include "spec/hub/repack.h"
#include "sys/memory_limits.h"
#include "sys/topology.h"
#include "tools/scored_forecast.h"

namespace cistern::tools {
namespace {

using plan::PlanRow;
using plan::Verdict;

constexpr std::uint32_t kUsualContext = 4096;
// From the best to the smallest that is of use.
constexpr std::array<const char*, 5> kQuants = {"Q8_0", "Q6_K", "Q4_K_M", "Q3_K_M", "IQ2_XXS"};
constexpr double kSmaller = 0.9;  // to be worth a line

// Where weights lie: what stays in memory, and what is read from disk again and again.
std::vector<plan::Tier> tiers_of(const engine::PlannedRun& run, const plan::ByteCounts& bytes) {
  plan::Tier ram{.name = "RAM", .kind = "ram", .capacity_bytes = run.plan.budget_bytes, .bytes = bytes};
  if (!run.plan.streaming) return {ram};
  ram.bytes.weights = run.plan.weights_bytes;
  ram.bytes.experts = std::min(bytes.experts, run.plan.streaming->placement.cache_bytes);
  plan::Tier disk{.name = "disk", .kind = "disk"};
  disk.bytes.weights = bytes.weights - std::min(bytes.weights, ram.bytes.weights);
  disk.bytes.experts = bytes.experts - std::min(bytes.experts, ram.bytes.experts);
  disk.bytes.experts = std::min(disk.bytes.experts, disk.bytes.weights);
  disk.capacity_bytes = bytes.weights;
  return {ram, disk};
}

// A model on paper would come to some disk: most likely the one that this program is on. Empty: not known.
std::string own_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

class LocalPlanner {
 public:
  LocalPlanner(const PlanModel& model, const LocalQuestion& question) : model_(model), question_(question) {}

  Result<engine::PlannedRun> planned(const engine::LoadOptions& load) const {
    return engine::plan_run(model_.files, model_.path.empty() ? model_.name : model_.path, model_.spec, load);
  }

  // `fresh`: with the bandwidth of memory as it is now.
  ScoredForecast forecast(const engine::PlannedRun& run, bool fresh) const {
    const double cached = model_.path.empty() ? 1 : cached_share(model_.files);
    const bool needs_disk = run.plan.streaming || cached < 1;
    return scored_forecast({.model = run.model,
                            .inventory = model_.inventory(),
                            .plan = run.plan,
                            .isa = run.isa,
                            .threads = run.threads,
                            .sequences = question_.load.sequences},
                           {.question = {.prompt_tokens = question_.prompt_tokens, .cached_share = cached},
                            .disk_bytes_per_s = question_.disk_bytes_per_s,
                            .disk_path = !needs_disk           ? ""
                                         : model_.path.empty() ? own_program()
                                                               : model_.path,
                            .fresh = fresh && !run.plan.streaming});
  }

  // Tells what the disk was measured to give, where it had to be.
  PlanRow row(const engine::PlannedRun& run, double& disk_bytes_per_s) const {
    PlanRow row{.verdict = run.plan.streaming ? Verdict::kStreams : Verdict::kFits,
                .bytes = plan::byte_counts(run.model, model_.inventory(), run.plan)};
    if (run.plan.streaming) row.why = plan::describe(*run.plan.streaming);
    row.tiers = tiers_of(run, row.bytes);
    const ScoredForecast scored = forecast(run, true);
    const plan::MachineSpeed& speed = scored.speed;
    disk_bytes_per_s = speed.disk_bytes_per_s;
    row.forecast = scored.told;
    row.points = plan::operating_points(run.model, model_.inventory(), run.plan, question_.prompt_tokens,
                                        *row.forecast);
    row.bytes_per_token = row.points.front().bytes;
    row.read_bytes_per_s = speed.read_bytes_per_s;
    double most = 0;
    for (const plan::WeightWork& w : plan::weight_work_of(run.model, model_.inventory(), {})) {
      if (w.macs <= most) continue;
      most = w.macs;
      row.macs_per_s = speed.products[static_cast<std::size_t>(w.dtype)].prefill_macs_per_s;
    }
    return row;
  }

  // Adds what would come of running it so; nothing if that is refused, too.
  void add_change(PlanRow& row, std::string what, const engine::LoadOptions& load) const {
    const auto run = planned(load);
    if (!run) return;
    row.changes.push_back({.what = std::move(what),
                           .verdict = run->plan.streaming ? Verdict::kStreams : Verdict::kFits,
                           .decode_tok_s = forecast(*run, false).told.decode_full_tok_s.mid,
                           .total_bytes = run->plan.total_bytes()});
  }

 private:
  const PlanModel& model_;
  const LocalQuestion& question_;
};

std::string hardware_name() {
  const sys::Topology topology = sys::read_topology();
  return fmt::format("this machine ({}, {} core{})",
                     topology.processor.empty() ? "unknown" : topology.processor, topology.cores,
                     topology.cores == 1 ? "" : "s");
}

// What it would take with all the memory there is.
plan::ByteCounts unlimited_bytes(const PlanModel& model, const LocalQuestion& question) {
  const auto plan = plan::make_plan({.budget_bytes = ~std::uint64_t{0} >> 1U}, model.spec, model.inventory(),
                                    {.context_tokens = question.load.context_tokens.value_or(kUsualContext),
                                     .kv_type = question.load.kv_type,
                                     .sequences = question.load.sequences});
  if (!plan) return {.weights = model.inventory().tensor_bytes()};
  return plan::byte_counts(model.spec, model.inventory(), *plan);
}

// The same model in other quants, those that are smaller.
void add_quants(const PlanModel& model, const LocalQuestion& question, std::uint32_t context, PlanRow& row) {
  engine::LoadOptions load = question.load;
  if (context > 0) load.context_tokens = context;
  const std::uint64_t bytes = model.inventory().tensor_bytes();
  std::size_t most = row.verdict == Verdict::kFits ? 1 : kQuants.size();
  for (const char* quant : kQuants) {
    auto other = spec::hub::repacked(model.spec, model.inventory(), quant);
    if (most == 0 || !other ||
        static_cast<double>(other->tensor_bytes()) > kSmaller * static_cast<double>(bytes))
      continue;
    PlanModel smaller{.name = model.name, .type = quant, .spec = model.spec};
    smaller.files.inventory = *std::move(other);
    LocalPlanner(smaller, question).add_change(row, fmt::format("as {}", quant), load);
    --most;
  }
}

// Other ways to run it.
void add_changes(const PlanModel& model, const LocalQuestion& question, std::uint32_t context, PlanRow& row) {
  const LocalPlanner planner(model, question);
  struct Smaller {
    DType type;
    const char* option;
  };
  for (const Smaller& kv : {Smaller{DType::kQ8_0, "--kv q8_0"}, {DType::kQ4_0, "--kv q4_0"}}) {
    const auto bits = [](DType type) {
      const quant::Format& format = quant::format_of(type);
      return format.block_bytes * 8.0 / format.block_values;
    };
    if (bits(kv.type) >= bits(question.load.kv_type)) continue;
    engine::LoadOptions load = question.load;
    load.kv_type = kv.type;
    if (context > 0) load.context_tokens = context;
    planner.add_change(row, kv.option, load);
  }
  if (context > kUsualContext || (row.verdict == Verdict::kRefused && question.load.context_tokens)) {
    engine::LoadOptions load = question.load;
    load.context_tokens = kUsualContext;
    planner.add_change(row, fmt::format("--ctx {}", kUsualContext), load);
  }
  add_quants(model, question, context, row);
}

}  // namespace

Result<LocalPlan> plan_local(const PlanModel& model, const LocalQuestion& question) {
  const LocalPlanner planner(model, question);
  LocalQuestion changed = question;
  auto run = planner.planned(question.load);
  LocalPlan local;
  if (!run && run.error().code != ErrorCode::kMemory) return std::unexpected(run.error());
  if (!run) {
    local.row.why = run.error().message;
    local.row.bytes = unlimited_bytes(model, question);
    local.context_tokens = question.load.context_tokens.value_or(0);
  } else {
    local.row = planner.row(*run, changed.disk_bytes_per_s);
    local.context_tokens = run->plan.cache.context_tokens;
  }
  local.row.hardware = hardware_name();
  add_changes(model, changed, local.context_tokens, local.row);
  return local;
}

}  // namespace cistern::tools
