// The plan command's row for this machine: the plan that a run would be loaded with, and what is to be
// expected of it, from speeds that are measured here and corrected by earlier outcomes. Reads the machine,
// allocates nothing of the model.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "engine/engine.h"
#include "plan/plan_row.h"
#include "tools/plan_model.h"

namespace cistern::tools {

struct LocalQuestion {
  engine::LoadOptions load;
  std::uint32_t prompt_tokens = 512;
};

struct LocalPlan {
  plan::PlanRow row;
  std::uint32_t context_tokens = 0;  // planned for, or refused
};

// A plan that is refused is a row too. Errors: bad options.
Result<LocalPlan> plan_local(const PlanModel& model, const LocalQuestion& question);

}  // namespace cistern::tools
