// What Anthropic's protocol serves: POST /v1/messages and /v1/messages/count_tokens, read into tasks for the
// backend and answered in that protocol's form. Models are listed at OpenAI's path (model_list.h). Called by
// who puts the server together. Handlers are thread-safe and share the backend.
#pragma once

#include <memory>
#include <vector>

#include "serve/backend.h"
#include "serve/http/route.h"

namespace cistern::serve::anthropic {

std::vector<http::Route> routes(std::shared_ptr<Backend> backend);

}  // namespace cistern::serve::anthropic
