// Server-sent events as text: what the streams of all protocols but Ollama's are made of. A stream of this
// content type is kept alive by the session, which sends a comment when nothing else was sent for a while;
// for that pieces have to be whole events. Pure.
#pragma once

#include <string>
#include <string_view>

#include "serve/http/exchange.h"

namespace cistern::serve::http {

// The head of a stream of events: no cache keeps it, no proxy gathers it.
Response sse_head();

// One event. `name` may be empty and has no line ends; each line of `data` becomes a field.
std::string sse_event(std::string_view name, std::string_view data);
std::string sse_event(std::string_view data);

}  // namespace cistern::serve::http
