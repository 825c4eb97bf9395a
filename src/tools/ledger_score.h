// cistern plan --score: how good the forecasts of earlier runs on this machine were, from the ledger. No
// printing.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "engine/ledger.h"
#include "plan/forecast_score.h"

namespace cistern::tools {

struct LedgerScore {
  std::string path;
  std::size_t runs = 0;
  plan::Scores scores;                // of what was told
  std::vector<std::string> warnings;  // what of the ledger was passed over
};

LedgerScore ledger_score();

boost::json::object ledger_score_json(const LedgerScore& score);
std::string ledger_score_text(const LedgerScore& score);

}  // namespace cistern::tools
