// The local ledger: what was forecast of a run and what it then took, one line per run in a file of the
// user's. Commands append to it; `cistern plan --score` and later forecasts read it (docs/ledger.md). Nothing
// leaves the machine, and no text can get in: a record holds numbers and members of closed lists, nothing
// else. Any number of processes and threads may append at once. Lines that are there are never changed or
// dropped; a file that is no ledger is left as it is.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "engine/ledger_keys.h"
#include "plan/forecast_score.h"
#include "tensor/dtype.h"

namespace cistern::engine {

enum class LedgerKind : std::uint8_t { kRun, kChat, kServe, kBench };

struct ProgramVersion {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  std::uint16_t patch = 0;

  bool operator==(const ProgramVersion&) const = default;
};
// "1.2.3"; zeros for what is no version.
ProgramVersion parse_program_version(std::string_view text);

struct LedgerWorkload {
  std::uint32_t context_tokens = 0;
  std::uint32_t prompt_tokens = 0;
  std::uint32_t generated_tokens = 0;
  std::uint32_t depth_tokens = 0;  // in the cache before the prompt
  std::uint32_t threads = 0;
  std::uint32_t sequences = 1;
  DType kv_type = DType::kF16;
  bool streaming = false;  // from disk

  bool operator==(const LedgerWorkload&) const = default;
};

struct LedgerFigure {
  plan::Interval predicted;    // as it was told to the user
  plan::Interval uncorrected;  // before plan::Corrections
  double actual = 0;

  bool operator==(const LedgerFigure&) const = default;
};

struct LedgerRecord {
  std::int64_t time_s = 0;  // UTC, since 1970; 0: append_ledger() takes the clock
  ProgramVersion program;
  // Counts up whenever forecasts are made in another way: corrections learn only from outcomes of their own.
  std::uint32_t forecaster = 0;
  LedgerKind kind = LedgerKind::kRun;
  std::uint64_t machine = 0;  // machine_key()
  LedgerModel model;          // ledger_model()
  LedgerWorkload workload;
  // By plan::Metric; nothing: not forecast or not measured.
  std::array<std::optional<LedgerFigure>, plan::kMetricCount> figures;

  bool operator==(const LedgerRecord&) const = default;
};
// No string, so no text of a prompt, answer, path or model.
static_assert(std::is_trivially_copyable_v<LedgerRecord>);

// $XDG_STATE_HOME/cistern/ledger.jsonl, else ~/.local/state/cistern/ledger.jsonl. Empty: the environment
// names no place.
std::string default_ledger_path();

// Adds a line; makes file and folder. Does nothing if `path` is empty or no figure of the record is usable
// (plan::is_usable). A ledger that would grow beyond 8 MiB first moves its older half to the end of
// ledger.1.jsonl beside it. Errors say what to do and are a warning to the caller, whose run was fine: kIo,
// kFormat (the file is no ledger and was not touched).
Result<void> append_ledger(const std::string& path, const LedgerRecord& record);

struct LedgerContents {
  std::vector<LedgerRecord> records;  // in the order of the file
  std::vector<std::string> warnings;  // a sentence each, for whoever looks at the ledger: what was skipped
};

inline constexpr std::uint64_t kWholeLedger = std::numeric_limits<std::uint64_t>::max();
// What a forecast needs to know: some hundred runs, read in a millisecond or two.
inline constexpr std::uint64_t kRecentLedger = 256U << 10U;

// The records in the last `most_bytes` (at most 64 MiB) of the file, its archive left out. A ledger that is
// absent is empty; what cannot be read is a warning.
LedgerContents read_ledger(const std::string& path, std::uint64_t most_bytes = kWholeLedger);

// Every usable figure, to be scored; `forecaster`: only those that it made.
std::vector<plan::Outcome> outcomes_of(const std::vector<LedgerRecord>& records,
                                       std::optional<std::uint32_t> forecaster = std::nullopt);

}  // namespace cistern::engine
