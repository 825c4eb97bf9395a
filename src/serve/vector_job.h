// Texts to vectors, and documents to scores, by the service of a model that is loaded. Each text is a job of
// its own between the steps of answers; `done` is called once, when the last one is through, on the service's
// thread, or at once where something is wrong with the task. Thread-safe.
#pragma once

#include <functional>

#include "base/error.h"
#include "serve/backend.h"
#include "serve/model_pool.h"
#include "serve/task.h"

namespace cistern::serve {

// kTooLong and kUsage name the input ("input[3]"); kUnsupported for models that make no vectors.
void start_embedding(ModelPool::Lease model, const EmbeddingTask& task,
                     std::function<void(Result<Backend::Vectors>)> done);

// The same with "documents[3]".
void start_reranking(ModelPool::Lease model, const RerankTask& task,
                     std::function<void(Result<Backend::Scores>)> done);

}  // namespace cistern::serve
