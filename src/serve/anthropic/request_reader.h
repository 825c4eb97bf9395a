// Requests of Anthropic's Messages API as tasks. What cannot be done is an error that names the field; what
// changes nothing here (metadata, cache_control, service_tier, …) is passed over. docs/anthropic.md lists
// both. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "serve/task.h"

namespace cistern::serve::anthropic {

struct MessagesRequest {
  GenerationTask task;
  bool stream = false;
};

// The body of POST /v1/messages.
Result<MessagesRequest> read_messages_request(std::string_view body);

// The body of POST /v1/messages/count_tokens: the same, without what concerns the answer.
Result<GenerationTask> read_count_request(std::string_view body);

}  // namespace cistern::serve::anthropic
