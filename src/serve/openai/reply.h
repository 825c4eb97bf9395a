// What all answers in OpenAI's form have in common: their head (id, time, model), errors, events of streams,
// usage, timings, log-probabilities. Used by the writers of this folder. Pure but for the clock, random ids
// and what is written to an exchange.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serve/answer.h"
#include "serve/backend.h"
#include "serve/client_watch.h"
#include "serve/http/exchange.h"

namespace cistern::serve::openai {

std::int64_t unix_seconds();
// Tells apart what could answer differently: another model or file.
std::string fingerprint(const ModelInfo& model);

boost::json::object error_document(const Error& error);
// Answers with an error: its status, its document, Retry-After where waiting helps.
void respond_error(http::Exchange& exchange, Backend& backend, const Error& error);
void respond_json(http::Exchange& exchange, const boost::json::value& document);

std::string data_event(const boost::json::value& data);                          // "data: …"
std::string named_event(std::string_view name, const boost::json::value& data);  // "event: …", "data: …"
inline constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";

boost::json::object usage_json(const Usage& usage);
boost::json::object timings_json(const Usage& usage);

// A token as text: its bytes, where they are no UTF-8 each as \xNN.
std::string token_text(std::string_view bytes);
boost::json::object chat_logprob(const ChosenLogprob& token);
void append_logprobs(boost::json::array& out, const std::vector<ChosenLogprob>& tokens);

// Everything that a sink needs to answer one request. Shared by the writers; its parts outlive the answer.
struct ReplyTo {
  std::shared_ptr<Backend> backend;
  std::shared_ptr<http::Exchange> exchange;
  std::shared_ptr<ClientWatch> watch;
  ModelInfo model;
  std::string id;
  std::int64_t created = 0;

  // kNotFound where there is no such model.
  static Result<ReplyTo> make(std::shared_ptr<Backend> backend, std::shared_ptr<http::Exchange> exchange,
                              const std::string& model, std::string_view id_prefix);
};

// Starts the task. What is refused at once comes to the sink as on_error().
void start(const ReplyTo& to, GenerationTask task, const std::shared_ptr<AnswerSink>& sink);

}  // namespace cistern::serve::openai
