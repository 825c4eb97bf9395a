// What `cistern serve` tells when it listens: where, the model, its plan and the forecast; for people, and as
// one line of JSON for scripts (docs/serve.md has its form). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "serve/loaded_model.h"

namespace cistern::tools {

// `model`: the one that is loaded; null: none yet. `offered`: ids of all.
struct ServeStart {
  std::vector<std::string> urls;
  std::uint16_t port = 0;
  const serve::LoadedModel* model = nullptr;
  std::vector<std::string> offered;
  bool api_key = false;
};

std::string start_text(const ServeStart& start);
boost::json::object start_json(const ServeStart& start);

}  // namespace cistern::tools
