// The body of an error in the shape that the clients of a path expect: Anthropic's under /v1/messages,
// Ollama's under /api/, OpenAI's elsewhere. For errors that the server itself answers with; protocols may use
// it for theirs. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cistern::serve::http {

std::string error_body(unsigned status, std::string_view message, std::string_view path);

}  // namespace cistern::serve::http
