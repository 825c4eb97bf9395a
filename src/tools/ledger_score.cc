#include "tools/ledger_score.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "tools/output.h"

namespace cistern::tools {

LedgerScore ledger_score() {
  LedgerScore score{.path = engine::default_ledger_path(), .scores = {}, .warnings = {}};
  engine::LedgerContents ledger = engine::read_ledger(score.path);
  score.runs = ledger.records.size();
  score.scores = plan::score(engine::outcomes_of(ledger.records));
  score.warnings = std::move(ledger.warnings);
  return score;
}

boost::json::object ledger_score_json(const LedgerScore& score) {
  boost::json::object figures;
  for (const plan::Metric metric : plan::kAllMetrics) {
    const plan::Score& s = score.scores[static_cast<std::size_t>(metric)];
    figures[plan::name_of(metric)] = {
        {"outcomes", s.count}, {"median_error", s.median_error}, {"bias", s.bias}, {"coverage", s.coverage}};
  }
  return {{"ledger", score.path},
          {"runs", score.runs},
          {"figures", std::move(figures)},
          {"warnings", boost::json::array(score.warnings.begin(), score.warnings.end())}};
}

std::string ledger_score_text(const LedgerScore& score) {
  std::string text;
  if (score.runs == 0) {
    text = fmt::format("No run has been recorded yet in {}: run, chat and bench add to it.\n",
                       score.path.empty() ? "a ledger (set HOME)" : printable(score.path));
  } else {
    text = fmt::format("{} runs in {}\n{:<15} {:>8} {:>13} {:>11} {:>9}\n", score.runs, printable(score.path),
                       "", "outcomes", "median error", "turned out", "in range");
  }
  for (const plan::Metric metric : plan::kAllMetrics) {
    const plan::Score& s = score.scores[static_cast<std::size_t>(metric)];
    if (s.count == 0) continue;
    text += fmt::format("{:<15} {:>8} {:>12.1f}% {:>+10.1f}% {:>8.0f}%\n", plan::name_of(metric), s.count,
                        100 * s.median_error, 100 * (std::exp(s.bias) - 1), 100 * s.coverage);
  }
  for (const std::string& warning : score.warnings) text += printable(warning) + "\n";
  return text;
}

}  // namespace cistern::tools
