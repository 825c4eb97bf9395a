// Reads the body of POST /v1/responses: items into messages of a conversation. The server keeps no responses,
// so what refers to earlier ones is refused. Pure; safe on any bytes.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "base/error.h"
#include "serve/task.h"

namespace cistern::serve::openai {

struct ResponsesRequest {
  GenerationTask task;
  bool stream = false;
  boost::json::object echo;  // what the response repeats of the request, with the defaults of what is absent
};

Result<ResponsesRequest> read_responses_request(std::string_view body);

}  // namespace cistern::serve::openai
