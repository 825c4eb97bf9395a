// The sinks that answer /api/chat and /api/generate: with one object, with a line of JSON for every piece,
// or, where the model was only to be loaded, with that. Made by the handlers (routes.h), called by the
// backend as answer.h says; a sink lives as long as its task.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "serve/answer.h"
#include "serve/backend.h"
#include "serve/client_watch.h"
#include "serve/http/exchange.h"
#include "serve/ollama/answer_object.h"

namespace cistern::serve::ollama {

struct AnswerTo {
  std::shared_ptr<Backend> backend;
  std::shared_ptr<http::Exchange> exchange;
  std::shared_ptr<ClientWatch> watch;
  Endpoint endpoint = Endpoint::kChat;
  std::string model;  // as the client named it
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();

  AnswerHead head() const;  // of an object that is made now
  std::int64_t passed_ns() const;
};

std::shared_ptr<AnswerSink> make_whole_sink(AnswerTo to);
std::shared_ptr<AnswerSink> make_lines_sink(AnswerTo to);
std::shared_ptr<AnswerSink> make_load_sink(AnswerTo to);

// {"error": "…"}, with the status of its kind and, where waiting helps, Retry-After.
void respond_error(http::Exchange& exchange, Backend& backend, const Error& error);

}  // namespace cistern::serve::ollama
