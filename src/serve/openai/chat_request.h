// Reads the body of POST /v1/chat/completions. Pure; safe on any bytes.
#pragma once

#include <string_view>

#include "base/error.h"
#include "serve/openai/common_fields.h"
#include "serve/task.h"

namespace cistern::serve::openai {

struct ChatRequest {
  GenerationTask task;
  StreamOptions stream;
};

Result<ChatRequest> read_chat_request(std::string_view body);

}  // namespace cistern::serve::openai
