// The plan of a run on this machine: limits of memory are read, the model's spec is made, and what the run
// will hold is counted; nothing is allocated. Loading begins with it, and `cistern plan` ends with it.
#pragma once

#include <span>
#include <string>

#include "engine/engine.h"

namespace cistern::engine {

// Adapters are of `model`; `path` is what errors call the files.
Result<PlannedRun> plan_run(const file::ModelFiles& files, const std::string& path, spec::ModelSpec model,
                            const LoadOptions& options, std::span<const spec::AdapterSpec> adapters);

}  // namespace cistern::engine
