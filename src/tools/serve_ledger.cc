#include "tools/serve_ledger.h"

namespace cistern::tools {

void ServeLedger::answer(const serve::GenerationReport& report) {
  if (off_ || !report.alone || report.loaded == nullptr || report.error) return;
  const engine::Service& service = *report.loaded->service;
  const RunOutcome outcome = speeds_of(report.stats);
  const bool measured = outcome.decode_tok_s > 0 || outcome.prefill_tok_s > 0;
  if (!measured || service.plan().adapter_bytes > 0) return;
  const std::lock_guard lock(mutex_);
  if (!forecaster_) forecaster_.emplace(service.isa(), service.threads());
  // Nothing is measured for it: the next request waits.
  forecaster_->record(
      engine::LedgerKind::kServe,
      {.model = service.spec(), .inventory = service.model().inventory(), .plan = service.plan()},
      {.question = question_of(report.stats), .disk_path = {}, .measure = false}, outcome);
}

}  // namespace cistern::tools
