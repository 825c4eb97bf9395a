// Forecasts of runs on this machine, corrected by the outcomes in the ledger, and the lines that runs add to
// it. Shared by plan, run, chat and bench. What cannot be read or written is a warning or nothing: a run is
// fine without a ledger. Not thread-safe.
#pragma once

#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/ledger.h"
#include "plan/forecast.h"
#include "tools/local_speed.h"

namespace cistern::tools {

// A run of which something is forecast.
struct ForecastRun {
  const spec::ModelSpec& model;
  const file::Inventory& inventory;
  const plan::MemoryPlan& plan;
  sys::Isa isa = sys::Isa::kScalar;
  int threads = 1;
  std::uint32_t sequences = 1;
};

struct ScoredForecast {
  plan::Forecast told;  // corrected
  plan::Forecast uncorrected;
  plan::MachineSpeed speed;
};

struct ForecastOptions {
  plan::ForecastQuestion question;
  std::string disk_path;                             // where the disk matters: a file to measure it with
  double disk_bytes_per_s = 0;                       // where it is known already
  std::optional<std::span<const std::byte>> memory;  // see SpeedWanted
  bool fresh = false;                                // measure the bandwidth of memory now
  bool known_only = false;                           // measure nothing
};

ScoredForecast scored_forecast(const ForecastRun& run, const ForecastOptions& options);

// What happened; 0: not measured.
struct RunOutcome {
  double load_s = 0;
  double prefill_tok_s = 0;
  double first_token_s = 0;
  double decode_tok_s = 0;
  double peak_bytes = 0;
  std::uint32_t prompt_tokens = 0;
  std::uint32_t generated_tokens = 0;
};

// Adds a line to the ledger. A ledger that cannot be written is told once on stderr.
void record_outcome(engine::LedgerKind kind, const ForecastRun& run, const ForecastOptions& options,
                    const ScoredForecast& forecast, const RunOutcome& outcome);

// The steps of a command that runs one model: what is known before it is loaded, and afterwards.
class RunScore {
 public:
  // `off`: the user wants no ledger. Before loading: looks how much of the file is in memory.
  RunScore(engine::LedgerKind kind, bool off, const engine::OpenModel& model);

  // After an answer. Answers that re-used a prompt, guessed tokens or ran with adapters or a draft model say
  // less, and only what they say is recorded.
  void record(const engine::Engine& engine, const engine::Stats& stats);

 private:
  engine::LedgerKind kind_;
  bool off_;
  bool first_ = true;  // loading is recorded once
  double cached_ = 1;
};

}  // namespace cistern::tools
