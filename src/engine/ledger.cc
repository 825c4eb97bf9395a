#include "engine/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <utility>

#include "engine/ledger_file.h"
#include "engine/ledger_line.h"
#include "sys/user_folders.h"

namespace cistern::engine {
namespace {

// A ledger is kept below a fraction of this; a file that is larger is not all ours.
constexpr std::uint64_t kMostReadBytes = 64ULL << 20U;

// How many lines were passed over, by LineFault, and what to say about them.
class Skipped {
 public:
  void count(LineFault fault) { ++counts_[static_cast<std::size_t>(fault)]; }

  void report(const std::string& path, bool any_ours, std::vector<std::string>& warnings) const {
    const std::size_t foreign = counts_[static_cast<std::size_t>(LineFault::kForeign)];
    if (foreign > 0 && !any_ours) {
      warnings.push_back(fmt::format(
          "{}: is no ledger of forecasts and is ignored; while it is there nothing is recorded", path));
      return;
    }
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      warnings.push_back(fmt::format("{}: {} line{} skipped, {}", path, counts_[i],
                                     counts_[i] == 1 ? " was" : "s were", kReasons[i]));
    }
  }
  bool any_marked() const {
    return counts_[static_cast<std::size_t>(LineFault::kNewer)] > 0 ||
           counts_[static_cast<std::size_t>(LineFault::kDamaged)] > 0;
  }

 private:
  static constexpr std::array<std::string_view, 3> kReasons = {"not of a ledger", "of a later version",
                                                               "damaged"};
  std::array<std::size_t, kReasons.size()> counts_{};
};

}  // namespace

std::string default_ledger_path() {
  return sys::user_file(sys::UserFolder::kState, "ledger.jsonl");
}

Result<void> append_ledger(const std::string& path, const LedgerRecord& record) {
  const auto says_something = [](const std::optional<LedgerFigure>& figure) {
    return figure && is_usable(*figure);
  };
  if (path.empty() || std::ranges::none_of(record.figures, says_something)) return {};
  LedgerRecord stamped = record;
  if (stamped.time_s == 0) stamped.time_s = std::time(nullptr);
  return append_ledger_line(path, ledger_line(stamped));
}

LedgerContents read_ledger(const std::string& path, std::uint64_t most_bytes) {
  LedgerContents contents;
  if (path.empty()) return contents;
  const auto text = read_ledger_tail(path, std::min(most_bytes, kMostReadBytes));
  if (!text) {
    contents.warnings.push_back(describe(text.error()));
    return contents;
  }
  if (!*text) return contents;
  Skipped skipped;
  std::string_view rest = **text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const bool last = end == std::string_view::npos;
    rest.remove_prefix(last ? rest.size() : end + 1);
    if (line.empty()) continue;
    if (auto record = parse_ledger_line(line)) {
      contents.records.push_back(*record);
    } else if (!last || (record.error() == LineFault::kForeign && !kLedgerMark.starts_with(line))) {
      skipped.count(record.error());
    }  // else it is being written right now, or was when the machine stopped
  }
  skipped.report(path, !contents.records.empty() || skipped.any_marked(), contents.warnings);
  return contents;
}

std::vector<plan::Outcome> outcomes_of(const std::vector<LedgerRecord>& records,
                                       std::optional<std::uint32_t> forecaster) {
  std::vector<plan::Outcome> outcomes;
  for (const LedgerRecord& record : records) {
    if (forecaster && record.forecaster != *forecaster) continue;
    for (const plan::Metric metric : plan::kAllMetrics) {
      const auto& figure = record.figures[static_cast<std::size_t>(metric)];
      if (!figure || !is_usable(*figure)) continue;
      outcomes.push_back({.metric = metric,
                          .place = place_key(record.machine, record.workload.streaming),
                          .model = record.model.key,
                          .predicted = figure->predicted,
                          .uncorrected = figure->uncorrected,
                          .actual = figure->actual});
    }
  }
  return outcomes;
}

}  // namespace cistern::engine
