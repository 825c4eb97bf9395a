// What GET /v1/models tells of a model: OpenAI's fields and, beside them, what a local server knows. Pure.
#pragma once

#include <boost/json/object.hpp>

#include "serve/backend.h"

namespace cistern::serve::openai {

boost::json::object model_json(const ModelInfo& model);
boost::json::object models_document(const std::vector<ModelInfo>& models);

}  // namespace cistern::serve::openai
