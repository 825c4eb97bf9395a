// Forecasts of runs on this machine, corrected by the outcomes in the ledger, and the lines that runs add to
// it. Shared by plan, run, chat and bench. What cannot be read or written is a warning or nothing: a run is
// fine without a ledger. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/ledger.h"
#include "plan/forecast.h"
#include "sys/topology.h"
#include "tools/local_speed.h"

namespace cistern::tools {

// A run of which something is forecast.
struct ForecastRun {
  const spec::ModelSpec& model;
  const file::Inventory& inventory;
  const plan::MemoryPlan& plan;
  std::uint32_t sequences = 1;
};

struct ScoredForecast {
  plan::Forecast told;  // corrected
  plan::Forecast uncorrected;
  plan::MachineSpeed speed;
  engine::LedgerModel model;  // what the ledger calls the model
};

struct ForecastOptions {
  plan::ForecastQuestion question;
  double disk_bytes_per_s = 0;                       // where it is known already; else
  std::string disk_path;                             // where the disk matters: a file to measure it with
  bool measure = true;                               // see SpeedWanted
  std::optional<std::span<const std::byte>> memory;  // likewise
  bool fresh = false;                                // measure the bandwidth of memory now
};

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

// Of an answer that ran alone: what forecasts are asked to tell of it, and how fast it was where that says
// something.
plan::ForecastQuestion question_of(const engine::Stats& stats);
RunOutcome speeds_of(const engine::Stats& stats);

// Which machine this is and what earlier runs on it taught, read once.
class LocalForecaster {
 public:
  LocalForecaster(sys::Isa isa, int threads);

  ScoredForecast forecast(const ForecastRun& run, const ForecastOptions& options) const;

  // Forecasts a run that has ended and adds a line to the ledger. A ledger that cannot be written is told on
  // stderr.
  void record(engine::LedgerKind kind, const ForecastRun& run, const ForecastOptions& options,
              const RunOutcome& outcome) const;

 private:
  plan::Forecast corrected(const ForecastRun& run, const engine::LedgerModel& model,
                           const plan::Forecast& uncorrected) const;

  sys::Isa isa_;
  int threads_;
  sys::Topology topology_;
  std::uint64_t machine_ = 0;  // its key in the ledger
  std::vector<plan::Outcome> outcomes_;
};

// The steps of a command that runs one model: what is known before it is loaded, and afterwards.
class RunScore {
 public:
  // Before loading with `load`, which tells this how fast the disk is where the model is streamed: looks how
  // much of the file is in memory. `off`: the user wants no ledger.
  RunScore(engine::LedgerKind kind, bool off, const engine::OpenModel& model, engine::LoadOptions& load);
  RunScore(const RunScore&) = delete;
  RunScore& operator=(const RunScore&) = delete;

  // After an answer. Answers that re-used a prompt, guessed tokens or ran with adapters or a draft model say
  // less, and only what they say is recorded.
  void record(const engine::Engine& engine, const engine::Stats& stats);

 private:
  engine::LedgerKind kind_;
  bool off_;
  bool first_ = true;  // loading is recorded once
  double cached_ = 1;
  double disk_bytes_per_s_ = 0;
  std::optional<LocalForecaster> forecaster_;  // made after the first answer
};

}  // namespace cistern::tools
