// Runs a model from disk as its plan says: makes the reader and the store, tells how fast it will be, and
// remembers the experts that were wanted most for the next start. Internal to engine/.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"
#include "plan/memory_plan.h"
#include "plan/step_work.h"
#include "store/streaming_store.h"

namespace cistern::engine {

// What the plan promises on this disk, which is measured for a moment. kIo.
Result<StreamingForecast> forecast_streaming(const OpenModel& open, const plan::MemoryPlan& plan,
                                             const plan::StepWork& token);

// REQUIRES: plan.streaming.
Result<std::unique_ptr<store::StreamingStore>> open_streaming_store(const OpenModel& open,
                                                                    const plan::MemoryPlan& plan,
                                                                    const LoadOptions& options);

// The experts that were wanted most, by the names of their tensors, in a small file of this folder. What is
// damaged, foreign or unreadable is as good as absent; what cannot be written is not kept.
void warm_experts(const std::string& folder, const OpenModel& open, store::StreamingStore& store);
void remember_experts(const std::string& folder, const OpenModel& open, const store::StreamingStore& store);

}  // namespace cistern::engine
