#include "tools/plan_local.h"

#include <fmt/format.h>

#include <algorithm>

#include "quant/format.h"
#include "sys/memory_limits.h"
#include "sys/topology.h"
#include "tools/scored_forecast.h"

namespace cistern::tools {
namespace {

using plan::PlanRow;
using plan::Verdict;

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

class LocalPlanner {
 public:
  LocalPlanner(const PlanModel& model, const LocalQuestion& question) : model_(model), question_(question) {}

  Result<engine::PlannedRun> planned(const engine::LoadOptions& load) const {
    return engine::plan_run(model_.files, model_.path.empty() ? model_.name : model_.path, model_.spec, load);
  }

  // Measures what is not known yet of what forecasts of such a run need.
  ScoredForecast forecast(const engine::PlannedRun& run) {
    options_.question = {.prompt_tokens = question_.prompt_tokens, .cached_share = cached_};
    if (options_.disk_path.empty() && (run.plan.streaming || cached_ < 1)) options_.disk_path = disk_path();
    options_.fresh = options_.fresh && !run.plan.streaming;
    const ScoredForecast scored = scored_forecast({.model = run.model,
                                                   .inventory = model_.inventory(),
                                                   .plan = run.plan,
                                                   .isa = run.isa,
                                                   .threads = run.threads,
                                                   .sequences = question_.load.sequences},
                                                  options_);
    // What is known now serves the other ways to run it, too.
    options_.fresh = false;
    options_.disk_bytes_per_s = scored.speed.disk_bytes_per_s;
    return scored;
  }

  PlanRow row(const engine::PlannedRun& run) {
    PlanRow row{.verdict = run.plan.streaming ? Verdict::kStreams : Verdict::kFits,
                .bytes = plan::byte_counts(run.model, model_.inventory(), run.plan)};
    if (run.plan.streaming) row.why = plan::describe(*run.plan.streaming);
    row.tiers = tiers_of(run, row.bytes);
    const ScoredForecast scored = forecast(run);
    const plan::MachineSpeed& speed = scored.speed;
    row.forecast = scored.told;
    row.points = plan::operating_points(
        run.model, model_.inventory(), run.plan,
        {.prompt_tokens = question_.prompt_tokens, .sequences = question_.load.sequences}, *row.forecast);
    row.bytes_per_token = bytes_per_token(run);
    row.read_bytes_per_s = speed.read_bytes_per_s;
    double most = 0;
    for (const plan::WeightWork& w : plan::weight_work_of(run.model, model_.inventory(), {})) {
      if (w.macs <= most) continue;
      most = w.macs;
      row.macs_per_s = speed.products[static_cast<std::size_t>(w.dtype)].prefill_macs_per_s;
    }
    return row;
  }

  void add_change(PlanRow& row, std::string what, const engine::LoadOptions& load) {
    const auto run = planned(load);
    if (!run) return;
    const plan::Forecast f = forecast(*run).told;
    row.changes.push_back({.what = std::move(what),
                           .verdict = run->plan.streaming ? Verdict::kStreams : Verdict::kFits,
                           .decode_tok_s = f.decode_full_tok_s.mid,
                           .total_bytes = run->plan.total_bytes()});
  }

  // What it would take if there were memory for it.
  Result<LocalPlan> refused(const Error& error) const {
    constexpr std::uint32_t kLeastContext = 256;  // that an automatic one has
    spec::ModelSpec model = model_.spec;
    model.mtp.reset();
    const std::uint32_t context =
        question_.load.context_tokens.value_or(std::min(kLeastContext, model.context_tokens));
    CISTERN_TRY(const plan::MemoryPlan whole, plan::make_plan({.budget_bytes = ~std::uint64_t{0} >> 1U,
                                                               .budget_source = {},
                                                               .process_bytes = sys::current_rss_bytes()},
                                                              model, model_.inventory(),
                                                              {.context_tokens = context,
                                                               .kv_type = question_.load.kv_type,
                                                               .threads = std::max(1, question_.load.threads),
                                                               .sequences = question_.load.sequences}));
    return LocalPlan{
        .row = {.why = error.message, .bytes = plan::byte_counts(model, model_.inventory(), whole)},
        .context_tokens = context};
  }

 private:
  // Of what is not here all comes from a disk: that of the file, or of this program.
  double share_in_memory() const {
    if (model_.paper) return 0;
    if (model_.path.empty()) return 1;
    double mapped = 0;
    for (const sys::MappedFile& file : model_.files.files) mapped += static_cast<double>(file.bytes().size());
    const auto all = static_cast<double>(model_.inventory().tensor_bytes());
    return cached_share(model_.files) * (all > mapped ? mapped / all : 1);
  }
  std::string disk_path() const { return model_.path.empty() ? "/proc/self/exe" : model_.path; }

  double bytes_per_token(const engine::PlannedRun& run) const {
    const plan::StepShape step{.sequences = question_.load.sequences};
    double sum = static_cast<double>(plan::cache_work_of(run.model, run.plan.cache, step).bytes);
    for (const plan::WeightWork& w : plan::weight_work_of(run.model, model_.inventory(), step))
      sum += w.bytes;
    return sum / step.sequences;
  }

  const PlanModel& model_;
  const LocalQuestion& question_;
  ForecastOptions options_{.question = {}, .disk_path = {}, .memory = {}, .fresh = true};
  double cached_ = share_in_memory();
};

std::string hardware_name() {
  const sys::Topology topology = sys::read_topology();
  return fmt::format("this machine ({}, {} core{})",
                     topology.processor.empty() ? "unknown" : topology.processor, topology.cores,
                     topology.cores == 1 ? "" : "s");
}

double bytes_per_value(DType type) {
  const quant::Format& format = quant::format_of(type);
  return static_cast<double>(format.block_bytes) / format.block_values;
}

// Ways to run it that cost less memory.
void add_changes(LocalPlanner& planner, const LocalQuestion& question, std::uint32_t context, PlanRow& row) {
  for (const DType kv : {DType::kQ8_0, DType::kQ4_0}) {
    engine::LoadOptions load = question.load;
    if (bytes_per_value(kv) >= bytes_per_value(load.kv_type)) continue;
    load.kv_type = kv;
    if (context > 0) load.context_tokens = context;
    planner.add_change(row, fmt::format("--kv {}", kv == DType::kQ8_0 ? "q8_0" : "q4_0"), load);
  }
  if (context > 4096) {
    engine::LoadOptions load = question.load;
    load.context_tokens = 4096;
    planner.add_change(row, "--ctx 4096", load);
  }
}

}  // namespace

Result<LocalPlan> plan_local(const PlanModel& model, const LocalQuestion& question) {
  LocalPlanner planner(model, question);
  auto run = planner.planned(question.load);
  LocalPlan local;
  if (!run && run.error().code != ErrorCode::kMemory) return std::unexpected(run.error());
  if (!run) {
    CISTERN_TRY(local, planner.refused(run.error()));
  } else {
    local.row = planner.row(*run);
    local.context_tokens = run->plan.cache.context_tokens;
  }
  local.row.hardware = hardware_name();
  add_changes(planner, question, local.context_tokens, local.row);
  return local;
}

}  // namespace cistern::tools
