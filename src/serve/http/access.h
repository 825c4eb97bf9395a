// Whether a request may be carried out, judged from its head: the Host header (a page of another site that
// was pointed at this machine by its name server, "DNS rebinding"), the Origin header (a page of another site
// that sends requests here), the API key. Pure.
#pragma once

#include <optional>

#include "serve/http/options.h"
#include "serve/http/refusal.h"

namespace cistern::serve::http {

// Nothing: it may. Preflights are not asked for a key: browsers send none with them.
std::optional<Refusal> check_access(const AccessRules& rules, const Request& request, bool http11);

// A browser that asks whether a page may send a request (CORS).
bool is_preflight(const Request& request);
// REQUIRES: is_preflight() and access.
Response preflight_answer(const Request& request);

// What lets the page of the request's Origin read an answer; empty if it may not.
Headers cors_headers(const AccessRules& rules, const Request& request);

}  // namespace cistern::serve::http
