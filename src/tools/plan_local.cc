#include "tools/plan_local.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

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
// What a tokenizer holds, which a plan does without: 95 to 150.
constexpr std::uint64_t kTokenizerBytesPerToken = 130;

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

  Result<engine::PlannedRun> planned(engine::LoadOptions load) const {
    load.coming_bytes = tokenizer_bytes();
    return engine::plan_run(model_.files, model_.path.empty() ? model_.name : model_.path, model_.spec, load);
  }

  // Measures what is not known yet of what forecasts of such a run need.
  ScoredForecast forecast(const engine::PlannedRun& run) {
    options_.question = {.prompt_tokens = question_.prompt_tokens, .cached_share = cached_};
    if (options_.disk_path.empty() && (run.plan.streaming || cached_ < 1)) options_.disk_path = disk_path();
    options_.fresh = options_.fresh && !run.plan.streaming;
    if (!forecaster_) forecaster_ = std::make_shared<const LocalForecaster>(run.isa, run.threads);
    const ScoredForecast scored = forecaster_->forecast({.model = run.model,
                                                         .inventory = model_.inventory(),
                                                         .plan = run.plan,
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
    row.changes.push_back({.what = std::move(what),
                           .verdict = run->plan.streaming ? Verdict::kStreams : Verdict::kFits,
                           .decode_tok_s = forecast(*run).told.decode_full_tok_s.mid,
                           .total_bytes = run->plan.total_bytes()});
  }

  // The same questions about another model, with what is known already.
  LocalPlanner about(const PlanModel& other) const {
    LocalPlanner planner(other, question_);
    planner.options_ = options_;
    planner.forecaster_ = forecaster_;
    return planner;
  }

  // What it would take if there were memory for it.
  Result<LocalPlan> refused(const Error& error) const {
    constexpr std::uint32_t kLeastContext = 256;  // that an automatic one has
    spec::ModelSpec model = model_.spec;
    model.mtp.reset();
    const std::uint32_t context =
        question_.load.context_tokens.value_or(std::min(kLeastContext, model.context_tokens));
    CISTERN_TRY(const plan::MemoryPlan whole,
                plan::make_plan({.budget_bytes = ~std::uint64_t{0} >> 1U,
                                 .budget_source = {},
                                 .process_bytes = sys::current_rss_bytes() + tokenizer_bytes()},
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
  std::uint64_t tokenizer_bytes() const { return kTokenizerBytesPerToken * model_.spec.n_vocab; }

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
  std::shared_ptr<const LocalForecaster> forecaster_;  // of all ways to run it
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

// The same model in other quants, those that are smaller.
void add_quants(const PlanModel& model, const LocalPlanner& planner, const engine::LoadOptions& load,
                PlanRow& row) {
  const auto bytes = static_cast<double>(model.inventory().tensor_bytes());
  std::size_t most = row.verdict == Verdict::kFits ? 1 : kQuants.size();
  for (const char* quant : kQuants) {
    auto other = spec::hub::repacked(model.spec, model.inventory(), quant);
    if (most == 0 || !other || static_cast<double>(other->tensor_bytes()) > kSmaller * bytes) continue;
    PlanModel smaller{.name = model.name, .type = quant, .spec = model.spec};
    smaller.files.inventory = *std::move(other);
    planner.about(smaller).add_change(row, fmt::format("as {}", quant), load);
    --most;
  }
}

// Other ways to run it.
void add_changes(const PlanModel& model, const LocalQuestion& question, std::uint32_t context,
                 LocalPlanner& planner, PlanRow& row) {
  engine::LoadOptions same = question.load;
  if (context > 0) same.context_tokens = context;
  for (const auto& [type, option] : {std::pair{DType::kQ8_0, "--kv q8_0"}, {DType::kQ4_0, "--kv q4_0"}}) {
    if (bytes_per_value(type) >= bytes_per_value(same.kv_type)) continue;
    engine::LoadOptions load = same;
    load.kv_type = type;
    planner.add_change(row, option, load);
  }
  if (context > kUsualContext) {
    engine::LoadOptions load = same;
    load.context_tokens = kUsualContext;
    planner.add_change(row, fmt::format("--ctx {}", kUsualContext), load);
  }
  add_quants(model, planner, same, row);
}

}  // namespace

Result<LocalPlan> plan_local(const PlanModel& model, const LocalQuestion& question) {
  LocalPlanner planner(model, question);
  const auto run = planner.planned(question.load);
  LocalPlan local;
  if (!run && run.error().code != ErrorCode::kMemory) return std::unexpected(run.error());
  if (!run) {
    CISTERN_TRY(local, planner.refused(run.error()));
  } else {
    local.row = planner.row(*run);
    local.context_tokens = run->plan.cache.context_tokens;
  }
  local.row.hardware = hardware_name();
  add_changes(model, question, local.context_tokens, planner, local.row);
  return local;
}

}  // namespace cistern::tools
