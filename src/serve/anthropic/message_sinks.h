// The sinks that answer POST /v1/messages, with one document or with a stream of events. Made by the handler
// (routes.h), called by the backend as answer.h says; a sink lives as long as its task.
#pragma once

#include <memory>
#include <string>

#include "serve/answer.h"
#include "serve/anthropic/message_parts.h"
#include "serve/backend.h"
#include "serve/client_watch.h"
#include "serve/http/exchange.h"

namespace cistern::serve::anthropic {

struct AnswerTo {
  std::shared_ptr<Backend> backend;
  std::shared_ptr<http::Exchange> exchange;
  std::shared_ptr<ClientWatch> watch;
  MessageHead head;
  std::string request_id;
};

std::shared_ptr<AnswerSink> make_document_sink(AnswerTo to);
std::shared_ptr<AnswerSink> make_stream_sink(AnswerTo to);

}  // namespace cistern::serve::anthropic
