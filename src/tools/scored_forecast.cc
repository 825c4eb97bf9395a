#include "tools/scored_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sys/memory_limits.h"
#include "sys/topology.h"
#include "tools/output.h"
#include "tools/version.h"

namespace cistern::tools {
namespace {

using plan::Forecast;
using plan::Interval;
using plan::Metric;

// Counts up with every change of the arithmetic in plan/forecast.cc.
constexpr std::uint32_t kForecaster = 3;
// What measuring speeds takes at the most.
constexpr std::uint64_t kMeasuringBytes = 64ULL << 20U;

struct Figure {
  Metric metric;
  Interval Forecast::* interval;
  double RunOutcome::* actual;
};
constexpr std::array<Figure, plan::kMetricCount> kFigures = {{
    {Metric::kLoad, &Forecast::load_s, &RunOutcome::load_s},
    {Metric::kPrefill, &Forecast::prefill_tok_s, &RunOutcome::prefill_tok_s},
    {Metric::kFirstToken, &Forecast::first_token_s, &RunOutcome::first_token_s},
    {Metric::kDecode, &Forecast::decode_tok_s, &RunOutcome::decode_tok_s},
    {Metric::kPeakMemory, &Forecast::peak_bytes, &RunOutcome::peak_bytes},
}};

// What is left of the budget that the run was planned for, and of the machine.
std::uint64_t room_beside(const plan::MemoryPlan& plan) {
  const std::uint64_t planned = plan.total_bytes();
  const std::uint64_t budget = plan.budget_bytes;
  return std::min(budget > planned ? budget - planned : 0, sys::read_memory_limits().budget_bytes());
}

}  // namespace

LocalForecaster::LocalForecaster(sys::Isa isa, int threads)
    : isa_(isa), threads_(threads), topology_(sys::read_topology()) {
  machine_ = engine::machine_key({.processor = topology_.processor,
                                  .cores = topology_.cores,
                                  .memory_bytes = sys::read_memory_limits().physical_bytes,
                                  .backend = sys::name_of(isa)});
  const engine::LedgerContents ledger =
      engine::read_ledger(engine::default_ledger_path(), engine::kRecentLedger);
  outcomes_ = engine::outcomes_of(ledger.records, kForecaster);
}

Forecast LocalForecaster::corrected(const ForecastRun& run, const engine::LedgerModel& model,
                                    const Forecast& uncorrected) const {
  const plan::Corrections corrections = plan::corrections_for(
      outcomes_, engine::place_key(machine_, run.plan.streaming.has_value()), model.key);
  Forecast told = uncorrected;
  for (const Figure& figure : kFigures) {
    if (figure.metric == Metric::kPeakMemory) continue;  // bytes are counted, not learnt
    told.*figure.interval = corrections.apply(figure.metric, uncorrected.*figure.interval);
  }
  for (Interval Forecast::* deeper : {&Forecast::decode_half_tok_s, &Forecast::decode_full_tok_s})
    told.*deeper = corrections.apply(Metric::kDecode, uncorrected.*deeper);
  return told;
}

ScoredForecast LocalForecaster::forecast(const ForecastRun& run, const ForecastOptions& options) const {
  ScoredForecast forecast;
  forecast.speed = local_speed({.topology = &topology_,
                                .isa = isa_,
                                .threads = threads_,
                                .inventory = &run.inventory,
                                .disk_path = options.disk_bytes_per_s > 0 ? "" : options.disk_path,
                                .measure = options.measure,
                                .memory = options.memory,
                                .fresh = options.fresh});
  if (options.disk_bytes_per_s > 0) forecast.speed.disk_bytes_per_s = options.disk_bytes_per_s;
  forecast.uncorrected =
      plan::forecast(run.model, run.inventory, run.plan, run.sequences, forecast.speed, options.question);
  forecast.model = engine::ledger_model(run.inventory);
  forecast.told = corrected(run, forecast.model, forecast.uncorrected);
  return forecast;
}

void LocalForecaster::record(engine::LedgerKind kind, const ForecastRun& run, const ForecastOptions& options,
                             const RunOutcome& outcome) const {
  const ScoredForecast scored = forecast(run, options);
  engine::LedgerRecord record{.program = engine::parse_program_version(kVersion),
                              .forecaster = kForecaster,
                              .kind = kind,
                              .machine = machine_,
                              .model = scored.model,
                              .workload = {.context_tokens = run.plan.cache.context_tokens,
                                           .prompt_tokens = outcome.prompt_tokens,
                                           .generated_tokens = outcome.generated_tokens,
                                           .depth_tokens = options.question.depth,
                                           .threads = static_cast<std::uint32_t>(threads_),
                                           .sequences = run.sequences,
                                           .kv_type = run.plan.cache.type,
                                           .streaming = run.plan.streaming.has_value()}};
  for (const Figure& figure : kFigures) {
    const double actual = outcome.*figure.actual;
    if (actual <= 0 || !plan::is_usable(scored.told.*figure.interval)) continue;
    record.figures[static_cast<std::size_t>(figure.metric)] = {
        .predicted = scored.told.*figure.interval,
        .uncorrected = scored.uncorrected.*figure.interval,
        .actual = actual};
  }
  if (const auto done = engine::append_ledger(engine::default_ledger_path(), record); !done)
    write_stderr(
        fmt::format("cistern: the ledger of forecasts was not written: {}\n", describe(done.error())));
}

plan::ForecastQuestion question_of(const engine::Stats& stats) {
  return {.prompt_tokens = std::max(1U, stats.prompt_tokens - stats.reused_tokens),
          .decode_depth = stats.prompt_tokens + stats.generated_tokens / 2,
          .depth = stats.reused_tokens,
          .filled_tokens = stats.prompt_tokens + stats.generated_tokens};
}

RunOutcome speeds_of(const engine::Stats& stats) {
  // What fewer tokens take is mostly what comes first: caches, pages and clocks that are still cold.
  constexpr std::uint32_t kFewestSteps = 16;
  constexpr std::uint32_t kFewestPrompt = 64;
  const bool guessed = stats.drafted_tokens > 0;
  const bool whole_prompt = stats.reused_tokens == 0 && stats.prompt_tokens >= kFewestPrompt;
  RunOutcome outcome{.prompt_tokens = stats.prompt_tokens, .generated_tokens = stats.generated_tokens};
  if (!guessed && stats.decode_steps >= kFewestSteps && stats.decode_s > 0)
    outcome.decode_tok_s = stats.decode_steps / stats.decode_s;
  if (whole_prompt && stats.prefill_s > 0) {
    outcome.prefill_tok_s = stats.prefill_tok_s();
    outcome.first_token_s = stats.prefill_s;
  }
  return outcome;
}

RunScore::RunScore(engine::LedgerKind kind, bool off, const engine::OpenModel& model,
                   engine::LoadOptions& load)
    : kind_(kind), off_(off), cached_(off || model.path == engine::kGuide ? 1 : cached_share(model.files)) {
  load.on_streaming = [this, show = load.on_streaming](const engine::StreamingForecast& forecast) {
    disk_bytes_per_s_ = forecast.disk_bytes_per_s;
    if (show) show(forecast);
  };
}

void RunScore::record(const engine::Engine& engine, const engine::Stats& stats) {
  if (off_ || engine.plan().adapter_bytes > 0) return;
  const ForecastRun run{
      .model = engine.spec(), .inventory = engine.model().inventory(), .plan = engine.plan()};
  const std::string& path = engine.model().path;
  // The promise of memory holds while a run is scored, too: measuring takes some MiB, and is done only where
  // they are there. The bandwidth is measured with the model's own bytes.
  const bool measure = room_beside(run.plan) >= kMeasuringBytes;
  const bool reads_disk = measure && path != engine::kGuide && first_ && cached_ < 1;
  plan::ForecastQuestion question = question_of(stats);
  question.cached_share = cached_;
  const ForecastOptions options{.question = question,
                                .disk_bytes_per_s = disk_bytes_per_s_,
                                .disk_path = reads_disk ? path : "",
                                .measure = measure,
                                .memory = run.plan.streaming ? std::span<const std::byte>()
                                                             : engine.model().files.files.front().bytes()};
  RunOutcome outcome = speeds_of(stats);
  outcome.load_s = first_ ? stats.load_s : 0;
  outcome.peak_bytes = static_cast<double>(stats.peak_rss_bytes);
  if (!forecaster_) forecaster_.emplace(engine.isa(), engine.threads());
  forecaster_->record(kind_, run, options, outcome);
  first_ = false;
}

}  // namespace cistern::tools
