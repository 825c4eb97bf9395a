// What the plan command prints: its rows as JSON (the form in docs/plan.md) or as text for people. Pure: text
// out, no I/O.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan_row.h"
#include "tools/output.h"
#include "tools/plan_hardware.h"

namespace cistern::tools {

struct PlanReport {
  // Of the model.
  std::string name;
  std::string arch;
  std::string type;    // of most of its weights
  std::string source;  // where its shape is from
  double parameters = 0;
  double active_parameters = 0;  // that a token is multiplied with
  std::uint64_t file_bytes = 0;
  std::size_t layers = 0;
  std::uint32_t model_context = 0;
  // Of the workload.
  std::uint32_t context_tokens = 0;
  std::uint32_t prompt_tokens = 0;
  std::uint32_t parallel = 1;
  std::string kv;

  std::vector<plan::PlanRow> rows;
};

boost::json::object plan_json(const PlanReport& report);
std::string plan_text(const PlanReport& report, const Style& style);

// Which models a machine runs.
boost::json::object fitting_json(const plan::System& system, const std::vector<Fitting>& models);
std::string fitting_text(const plan::System& system, const std::vector<Fitting>& models, double least_tok_s);

}  // namespace cistern::tools
