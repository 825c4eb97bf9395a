// What is served for those who run the server: GET /health, /metrics and /api/cistern/status. Called by who
// puts the server together; what it is given outlives the server. Handlers are thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "serve/engine_backend.h"
#include "serve/http/route.h"
#include "serve/operations/metrics.h"

namespace cistern::serve::operations {

struct Subject {
  EngineBackend& backend;
  const Metrics& metrics;
  const std::atomic<bool>& stopping;
  std::function<std::size_t()> connections;
  std::string version;
};

std::vector<http::Route> routes(Subject subject);

}  // namespace cistern::serve::operations
