// The plan of a model that is larger than its budget: sizes of chunk and context first, then as many weights
// as the rest of the memory holds. Internal to plan/.
#pragma once

#include <cstdint>
#include <optional>

#include "plan/planner.h"

namespace cistern::plan {

// Nothing when even that needs more than the budget.
std::optional<MemoryPlan> plan_streaming(const Planner& planner);

// The smallest budget with which there is such a plan for the context that is asked for, or any.
std::uint64_t least_streaming_bytes(const Planner& planner);

}  // namespace cistern::plan
