// Notes answers of a server beside their forecast in the ledger (docs/ledger.md): those that ran alone, as
// the forecast supposes. Called from the engines' threads; thread-safe.
#pragma once

#include <mutex>
#include <optional>

#include "serve/generation.h"
#include "tools/scored_forecast.h"

namespace cistern::tools {

class ServeLedger {
 public:
  explicit ServeLedger(bool off) : off_(off) {}
  void answer(const serve::GenerationReport& report);

 private:
  const bool off_;
  std::mutex mutex_;
  std::optional<LocalForecaster> forecaster_;  // made after the first answer that counts
};

}  // namespace cistern::tools
