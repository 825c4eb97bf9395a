// What the text of an answer has to be, as a grammar for the sampler: the format that a task asks for, or the
// call of a tool that it insists on. What is not known of a schema or grammar is an error that names it,
// never an answer without constraint. Thread-safe.
#pragma once

#include "base/error.h"
#include "sample/grammar.h"
#include "serve/answer_reader.h"
#include "serve/loaded_model.h"
#include "serve/task.h"

namespace cistern::serve {

// Null: any text. `plan`: of a conversation; its format is null for raw prompts.
Result<sample::GrammarPtr> constraint_of(const LoadedModel& model, const GenerationTask& task,
                                         const AnswerPlan& plan);

}  // namespace cistern::serve
