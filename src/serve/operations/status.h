// GET /api/cistern/status: where the bytes are, how fast it is and how fast it was forecast to be, for the
// page and for whoever wants to see (docs/page.md describes the document). Pure; thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "serve/engine_backend.h"
#include "serve/operations/metrics.h"

namespace cistern::serve {

boost::json::object status_document(EngineBackend& backend, const Metrics& metrics, std::string_view version,
                                    double uptime_s);

}  // namespace cistern::serve
