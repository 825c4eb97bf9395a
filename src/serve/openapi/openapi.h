// The description of all that is served, in OpenAPI 3.1: openapi.json in this folder, which is part of the
// program. What it says of requests is what the protocols' readers enforce; a test holds the two against each
// other. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "serve/http/route.h"

namespace cistern::serve::openapi {

std::string_view document();

std::vector<http::Route> routes();  // GET /openapi.json

}  // namespace cistern::serve::openapi
