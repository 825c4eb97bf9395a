// Models as Anthropic's clients list them, for models_or() in routes.h: their paths are OpenAI's too. Pure
// functions.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "serve/backend.h"
#include "serve/http/exchange.h"

namespace cistern::serve::anthropic {

// Whether the request comes from a client of this protocol: those always say its version.
bool wants_models(const http::Request& request);

boost::json::object model_object(const ModelInfo& model);
// All of them at once: there is never a further page.
boost::json::object model_list(const std::vector<ModelInfo>& models);

}  // namespace cistern::serve::anthropic
