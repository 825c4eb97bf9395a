#include "tools/plan_local.h"

#include <fmt/format.h>

#include <algorithm>

#include "quant/format.h"
#include "sys/memory_limits.h"
#include "sys/topology.h"
#include "tools/local_speed.h"

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

  // Measures what forecasts of such a run need.
  void measure(const engine::PlannedRun& run) {
    cached_ = model_.path.empty() ? 1 : cached_share(model_.files);
    const bool needs_disk = run.plan.streaming || cached_ < 1;
    speed_ = local_speed({.isa = run.isa,
                          .threads = run.threads,
                          .inventory = &model_.inventory(),
                          .disk_path = needs_disk ? model_.path : "",
                          .fresh = !run.plan.streaming});
  }

  plan::Forecast forecast(const engine::PlannedRun& run) const {
    return plan::forecast(run.model, model_.inventory(), run.plan, question_.load.sequences, speed_,
                          {.prompt_tokens = question_.prompt_tokens, .cached_share = cached_});
  }

  PlanRow row(const engine::PlannedRun& run) const {
    PlanRow row{.verdict = run.plan.streaming ? Verdict::kStreams : Verdict::kFits,
                .bytes = plan::byte_counts(run.model, model_.inventory(), run.plan)};
    if (run.plan.streaming) row.why = plan::describe(*run.plan.streaming);
    row.tiers = tiers_of(run, row.bytes);
    row.forecast = forecast(run);
    row.points = plan::operating_points(run.model, model_.inventory(), run.plan, question_.prompt_tokens,
                                        *row.forecast);
    row.bytes_per_token = row.points.front().bytes;
    row.read_bytes_per_s = speed_.read_bytes_per_s;
    double most = 0;
    for (const plan::WeightWork& w : plan::weight_work_of(run.model, model_.inventory(), {})) {
      if (w.macs <= most) continue;
      most = w.macs;
      row.macs_per_s = speed_.products[static_cast<std::size_t>(w.dtype)].prefill_macs_per_s;
    }
    return row;
  }

  void add_change(PlanRow& row, std::string what, const engine::LoadOptions& load) const {
    const auto run = planned(load);
    if (!run) return;
    const plan::Forecast f = forecast(*run);
    row.changes.push_back({.what = std::move(what),
                           .verdict = run->plan.streaming ? Verdict::kStreams : Verdict::kFits,
                           .decode_tok_s = f.decode_full_tok_s.mid,
                           .total_bytes = run->plan.total_bytes()});
  }

 private:
  const PlanModel& model_;
  const LocalQuestion& question_;
  plan::MachineSpeed speed_;
  double cached_ = 1;
};

std::string hardware_name() {
  const sys::Topology topology = sys::read_topology();
  return fmt::format("this machine ({}, {} core{})",
                     topology.processor.empty() ? "unknown" : topology.processor, topology.cores,
                     topology.cores == 1 ? "" : "s");
}

// Ways to run it that cost less memory.
void add_changes(const LocalPlanner& planner, const LocalQuestion& question, std::uint32_t context,
                 PlanRow& row) {
  for (const DType kv : {DType::kQ8_0, DType::kQ4_0}) {
    engine::LoadOptions load = question.load;
    if (quant::format_of(kv).block_bytes >= quant::format_of(load.kv_type).block_bytes &&
        load.kv_type != DType::kF16)
      continue;
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
    local.row.why = run.error().message;
    engine::LoadOptions least = question.load;
    least.memory_bytes = ~std::uint64_t{0} >> 1U;
    local.row.bytes.weights = model.inventory().tensor_bytes();
  } else {
    planner.measure(*run);
    local.row = planner.row(*run);
    local.context_tokens = run->plan.cache.context_tokens;
  }
  local.row.hardware = hardware_name();
  add_changes(planner, question, local.context_tokens, local.row);
  return local;
}

}  // namespace cistern::tools
