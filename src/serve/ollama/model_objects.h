// Models as Ollama's clients list and inspect them. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "serve/backend.h"

namespace cistern::serve::ollama {

// Ollama's names have a tag, ":latest" where none is given; what a client sends back is the name without it.
std::string tagged_name(std::string_view id);
std::string name_without_latest(std::string_view name);

boost::json::object tags_object(const std::vector<ModelInfo>& models);
// Those that are loaded.
boost::json::object ps_object(const std::vector<ModelInfo>& models);
boost::json::object show_object(const ModelInfo& model);

}  // namespace cistern::serve::ollama
