// From what a protocol asked to what the service of the model gets: prompt, sampling, grammar, and how the
// text that comes back is to be read. Everything that can be wrong with a task for this model is found here,
// before work starts. Pure but for the random seed; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/service.h"
#include "serve/answer_reader.h"
#include "serve/loaded_model.h"
#include "serve/task.h"

namespace cistern::serve {

struct PreparedTask {
  engine::ServedRequest request;  // of the first choice; choice i has the seed + i
  std::uint32_t choices = 1;
  AnswerPlan answer;
  std::string echo;  // text that comes before each answer; empty mostly
};

// kTemplate, kUnsupported, kUsage, with the field in `where`. `longest_s`: what a task may take at most; 0:
// any time.
Result<PreparedTask> prepare(const LoadedModel& model, const GenerationTask& task, double longest_s);

// The token ids of the prompt alone, of a model that need not be loaded.
Result<std::vector<text::TokenId>> prompt_ids(const engine::OpenModel& model,
                                              const Result<text::jinja::Template>& chat,
                                              const GenerationTask& task);

}  // namespace cistern::serve
