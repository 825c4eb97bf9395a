#include "serve/anthropic/model_list.h"

#include <utility>

#include "serve/rfc3339.h"

namespace cistern::serve::anthropic {

namespace json = boost::json;

bool wants_models(const http::Request& request) {
  return request.header("anthropic-version").has_value();
}

json::object model_object(const ModelInfo& model) {
  return {
      {"type", "model"},
      {"id", model.id},
      {"display_name", model.id},
      {"created_at", rfc3339(model.modified_s)},
      {"lifecycle", "active"},
      {"max_input_tokens", model.context_tokens},
      {"max_tokens", model.context_tokens},
  };
}

json::object model_list(const std::vector<ModelInfo>& models) {
  json::array data;
  for (const ModelInfo& model : models) data.push_back(model_object(model));
  return {
      {"data", std::move(data)},
      {"has_more", false},
      {"first_id", models.empty() ? json::value(nullptr) : json::value(models.front().id)},
      {"last_id", models.empty() ? json::value(nullptr) : json::value(models.back().id)},
  };
}

}  // namespace cistern::serve::anthropic
