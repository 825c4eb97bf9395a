// The plan command's answers about hardware that is not here: rows for named systems, what a budget buys, and
// which models a machine runs. Reads the user's own catalogue, if there is one; no printing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/catalogue.h"
#include "plan/hardware_plan.h"
#include "plan/plan_row.h"
#include "tools/plan_model.h"

namespace cistern::tools {

struct HardwareChoice {
  std::vector<std::string> on;       // systems, or "all"
  std::optional<double> budget_usd;  // at most; systems without a known price are left out
  std::optional<double> power_w;     // likewise
};

// The built-in catalogue and, before it, the user's: `path`, else $XDG_CONFIG_HOME/cistern/hardware.csv where
// that exists. Errors: a table that cannot be read, with line and column.
Result<plan::Catalogue> load_catalogue(const std::string& path);

// Rows by verdict, then the fastest first. "all", a budget or a power without names: every row of the
// catalogue, and several of a GPU where that is sold for machines with several.
Result<std::vector<plan::PlanRow>> hardware_rows(const PlanModel& model,
                                                 const plan::HardwareQuestion& question,
                                                 const plan::Catalogue& catalogue,
                                                 const HardwareChoice& choice);

// A model that a machine runs.
struct Fitting {
  std::string model;
  std::string quant;
  plan::PlanRow row;
};

// Of the known models those that a system decodes at `least_tok_s` or more, each in the largest quant that
// does; the largest first.
Result<std::vector<Fitting>> fitting_models(const plan::System& system,
                                            const plan::HardwareQuestion& question, double least_tok_s);

// "5000usd", "5000", "$5000"; "300w", "300". Errors: kUsage.
Result<double> parse_amount(const std::string& text, const std::string& unit, const std::string& option);

}  // namespace cistern::tools
