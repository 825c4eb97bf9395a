// Errors as Anthropic's clients expect them. Pure functions.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "serve/http/exchange.h"

namespace cistern::serve::anthropic {

// {"type": "error", "error": {"type", "message"}, "request_id"}.
boost::json::object error_document(const Error& error, const std::string& request_id);

// The answer to a request that failed before anything was sent; `retry_after_s` is told when it was for
// being busy.
http::Response error_response(const Error& error, const std::string& request_id, std::uint32_t retry_after_s);

}  // namespace cistern::serve::anthropic
