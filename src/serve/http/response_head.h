// Writes the status line and headers of an answer. Used by the session, which decides on the framing; framing
// headers of handlers are dropped, and no header can end its line. Pure, but for the clock.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "serve/http/exchange.h"

namespace cistern::serve::http {

struct Framing {
  std::optional<std::size_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool http11 = true;
};

// The body of `response` is not written.
std::string response_head(const Response& response, const Framing& framing);

std::string_view reason_phrase(unsigned status);

}  // namespace cistern::serve::http
