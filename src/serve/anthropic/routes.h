// What Anthropic's protocol serves: POST /v1/messages and /v1/messages/count_tokens, read into tasks for the
// backend and answered in that protocol's form; and what makes OpenAI's handlers of models answer clients of
// this protocol, too. Called by who puts the server together. Handlers are thread-safe and share the backend.
#pragma once

#include <memory>
#include <vector>

#include "serve/backend.h"
#include "serve/http/route.h"

namespace cistern::serve::anthropic {

std::vector<http::Route> routes(std::shared_ptr<Backend> backend);

// For /v1/models and /v1/models/{id}, which both protocols have: answers in Anthropic's form who sends
// "anthropic-version", leaves the others to `otherwise`.
http::Handler models_or(std::shared_ptr<Backend> backend, http::Handler otherwise);

}  // namespace cistern::serve::anthropic
