// Writes answers of POST /v1/responses. One machine makes the items of the response from what it is told
// (reasoning, a message, calls of functions); of a stream it also sends the events that tell how they grow.
// Made by the handler, called by the backend (answer.h), one call at a time.
#pragma once

#include <boost/json/object.hpp>
#include <memory>

#include "serve/answer.h"
#include "serve/openai/reply.h"

namespace cistern::serve::openai {

// `echo`: ResponsesRequest::echo.
std::shared_ptr<AnswerSink> make_response(ReplyTo to, boost::json::object echo, bool stream);

}  // namespace cistern::serve::openai
