// What Ollama's interface serves, below /api: answers, vectors and what there is to know of models. What
// would fetch or change models is refused with what to do instead. Called by who puts the server together.
// Handlers are thread-safe and share the backend.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "serve/backend.h"
#include "serve/http/route.h"

namespace cistern::serve::ollama {

// The version of Ollama whose interface this is: clients decide by it what they may ask for.
inline constexpr std::string_view kInterfaceVersion = "0.12.11";

std::vector<http::Route> routes(std::shared_ptr<Backend> backend);

}  // namespace cistern::serve::ollama
