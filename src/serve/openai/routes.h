// What OpenAI's protocol serves: /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings,
// /v1/rerank and /v1/models, each read into a task for the backend and answered in that protocol's form.
// Called by who puts the server together. Handlers are thread-safe and share the backend.
#pragma once

#include <memory>
#include <vector>

#include "serve/backend.h"
#include "serve/http/route.h"

namespace cistern::serve::openai {

std::vector<http::Route> routes(std::shared_ptr<Backend> backend);

}  // namespace cistern::serve::openai
