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
  std::uint32_t context_tokens = 0;  // exact; 0: 4096, or the model's limit where that is less
  DType kv_type = DType::kF16;
  std::uint32_t sequences = 1;
  std::uint32_t prompt_tokens = 512;
  double ssd_gbps = 5;  // what does not fit is read from such a disk
};

// What a context of 0 stands for.
std::uint32_t usual_context(const spec::ModelSpec& model);

class HardwarePlanner {
 public:
  // Refers to `inventory` and `time`. `quant` is the name of the model's mix of types.
  HardwarePlanner(const spec::ModelSpec& model, const file::Inventory& inventory, std::string_view quant,
                  const HardwareQuestion& question, const TimeModel& time);

  // The errors of make_plan() for any machine: a context beyond the model's, a KV type that its heads rule
  // out.
  Result<void> check() const;

  // REQUIRES: check() succeeded.
  PlanRow row(const System& system) const;

 private:
  // Bytes that a token reads, by kind of memory.
  struct Reads {
    double device = 0;
    double ram = 0;
    double disk = 0;
  };
  Reads reads_of(const Work& work, const std::vector<Tier>& tiers) const;

  spec::ModelSpec model_;  // without a layer that only guesses
  const file::Inventory& inventory_;
  std::string quant_;
  HardwareQuestion question_;
  const TimeModel& time_;
  Result<MemoryPlan> plan_;  // with all the memory there is
  ByteCounts bytes_;
};

}  // namespace cistern::plan
