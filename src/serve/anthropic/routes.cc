#include "serve/anthropic/routes.h"

#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "serve/anthropic/error_document.h"
#include "serve/anthropic/message_sinks.h"
#include "serve/anthropic/model_list.h"
#include "serve/anthropic/request_reader.h"
#include "serve/client_watch.h"
#include "serve/random_id.h"

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

void answer_messages(const std::shared_ptr<Backend>& backend, std::shared_ptr<http::Exchange> exchange) {
  const std::string request_id = random_id("req_");
  auto request = read_messages_request(exchange->request().body);
  if (!request) return exchange->respond(error_response(request.error(), request_id, 0));
  const auto watch = ClientWatch::start(*exchange);
  AnswerTo to = {.backend = backend,
                 .exchange = std::move(exchange),
                 .watch = watch,
                 .head = {.id = random_id("msg_"), .model = request->task.model},
                 .request_id = request_id};
  const auto sink = request->stream ? make_stream_sink(std::move(to)) : make_document_sink(std::move(to));
  auto running = backend->generate(std::move(request->task), sink);
  if (!running) return sink->on_error(running.error());
  watch->add(*std::move(running));
}

void count_tokens(Backend& backend, http::Exchange& exchange) {
  const std::string request_id = random_id("req_");
  const auto count = [&]() -> Result<std::uint32_t> {
    CISTERN_TRY(const GenerationTask task, read_count_request(exchange.request().body));
    return backend.count_tokens(task);
  }();
  if (!count) return exchange.respond(error_response(count.error(), request_id, backend.retry_after_s()));
  exchange.respond({.body = json::serialize(json::object{{"input_tokens", *count}}),
                    .headers = {{"request-id", request_id}}});
}

void tell_models(Backend& backend, http::Exchange& exchange) {
  constexpr std::string_view kOneModel = "/v1/models/";
  const std::string& path = exchange.request().path;
  const std::string request_id = random_id("req_");
  const auto document = [&]() -> Result<json::object> {
    if (!path.starts_with(kOneModel)) return model_list(backend.models());
    CISTERN_TRY(const ModelInfo model, backend.model(path.substr(kOneModel.size())));
    return model_object(model);
  }();
  if (!document) return exchange.respond(error_response(document.error(), request_id, 0));
  exchange.respond({.body = json::serialize(*document), .headers = {{"request-id", request_id}}});
}

}  // namespace

http::Handler models_or(std::shared_ptr<Backend> backend, http::Handler otherwise) {
  return [backend = std::move(backend),
          otherwise = std::move(otherwise)](std::shared_ptr<http::Exchange> exchange) {
    if (!wants_models(exchange->request())) return otherwise(std::move(exchange));
    tell_models(*backend, *exchange);
  };
}

std::vector<http::Route> routes(std::shared_ptr<Backend> backend) {
  return {
      {"POST", "/v1/messages",
       [backend](std::shared_ptr<http::Exchange> exchange) {
         answer_messages(backend, std::move(exchange));
       }},
      {"POST", "/v1/messages/count_tokens",
       [backend](const std::shared_ptr<http::Exchange>& exchange) { count_tokens(*backend, *exchange); }},
  };
}

}  // namespace cistern::serve::anthropic
