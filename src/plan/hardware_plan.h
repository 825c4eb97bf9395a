// The plan command's row for hardware that is only named: the model's bytes, from the same plan as here, over
// the memories that the hardware has, and the time of a token from the model of time (plan/time_model.h).
// What is not said of the machine around a GPU is assumed and told in the row. Pure.
#pragma once

#include "base/error.h"
#include "plan/catalogue.h"
#include "plan/memory_plan.h"
#include "plan/plan_row.h"
#include "plan/time_model.h"

namespace cistern::plan {

struct HardwareQuestion {
  std::uint32_t context_tokens = 4096;
  DType kv_type = DType::kF16;
  std::uint32_t sequences = 1;
  std::uint32_t prompt_tokens = 512;
  double ssd_gbps = 5;  // what does not fit is read from such a disk
};

class HardwarePlanner {
 public:
  // Refers to all of them. `quant` is the name of the model's mix of types.
  HardwarePlanner(const spec::ModelSpec& model, const file::Inventory& inventory, std::string_view quant,
                  const HardwareQuestion& question, const TimeModel& time);

  // The errors of make_plan() for any machine: a context beyond the model's, a KV type that its heads rule
  // out.
  Result<void> check() const;

  // REQUIRES: check() succeeded.
  PlanRow row(const System& system) const;

 private:
  const spec::ModelSpec& model_;
  const file::Inventory& inventory_;
  std::string quant_;
  HardwareQuestion question_;
  const TimeModel& time_;
  Result<MemoryPlan> plan_;  // with all the memory there is
  ByteCounts bytes_;
};

}  // namespace cistern::plan
