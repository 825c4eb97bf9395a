#include "serve/ollama/routes.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "serve/client_watch.h"
#include "serve/ollama/answer_sinks.h"
#include "serve/ollama/embeddings.h"
#include "serve/ollama/model_objects.h"
#include "serve/ollama/request_reader.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

using ExchangePtr = std::shared_ptr<http::Exchange>;
using BackendPtr = std::shared_ptr<Backend>;

constexpr std::string_view kPullInstead =
    "models are fetched with `cistern pull`: no other command opens connections to other machines";
constexpr std::string_view kFilesInstead =
    "models are files: put them into the folder of models, or delete them there";

struct RefusedRoute {
  std::string_view method, path, instead;
};
constexpr std::array kRefusedRoutes = {
    RefusedRoute{"POST", "/api/pull", kPullInstead},      RefusedRoute{"POST", "/api/push", kPullInstead},
    RefusedRoute{"POST", "/api/create", kFilesInstead},   RefusedRoute{"POST", "/api/copy", kFilesInstead},
    RefusedRoute{"DELETE", "/api/delete", kFilesInstead},
};

void respond_json(http::Exchange& exchange, const json::object& object) {
  exchange.respond({.body = json::serialize(object)});
}

Result<ModelInfo> checked_model(Backend& backend, const AnswerRequest& request) {
  CISTERN_TRY(ModelInfo info, backend.model(request.task.model));
  if (request.wish == AnswerRequest::Wish::kUnload)
    return fail(ErrorCode::kUnsupported, "models are not unloaded on request, but when they are idle",
                "keep_alive");
  if (request.context_tokens > info.context_tokens && info.context_tokens > 0)
    return fail(ErrorCode::kUnsupported,
                fmt::format("the context of \"{}\" has {} tokens; it is set where the server is started",
                            request.model, info.context_tokens),
                "options.num_ctx");
  return info;
}

// One token from next to nothing: the model is loaded when it is there.
GenerationTask loading_task(std::string model) {
  return {.model = std::move(model), .prompt = RawText{.text = " ", .suffix = {}}, .max_tokens = 1};
}

void start(const BackendPtr& backend, ExchangePtr exchange, Endpoint endpoint, AnswerRequest request) {
  const auto model = checked_model(*backend, request);
  if (!model) return respond_error(*exchange, *backend, model.error());
  const auto watch = ClientWatch::start(*exchange);
  AnswerTo to = {.backend = backend,
                 .exchange = std::move(exchange),
                 .watch = watch,
                 .endpoint = endpoint,
                 .model = request.model};
  const bool loads = request.wish == AnswerRequest::Wish::kLoad;
  if (loads && (model->loaded || !model->generates))
    return respond_json(*to.exchange, loaded_object(to.head(), to.passed_ns(), 0));
  if (loads) request.task = loading_task(std::move(request.task.model));
  const auto make_sink = loads ? make_load_sink : request.stream ? make_lines_sink : make_whole_sink;
  const auto sink = make_sink(std::move(to));
  auto running = backend->generate(std::move(request.task), sink);
  if (!running) return sink->on_error(running.error());
  watch->add(*std::move(running));
}

template <class Read>
http::Handler answering(const BackendPtr& backend, Endpoint endpoint, Read read) {
  return [=](ExchangePtr exchange) {
    auto request = read(exchange->request().body);
    if (!request) return respond_error(*exchange, *backend, request.error());
    start(backend, std::move(exchange), endpoint, *std::move(request));
  };
}

http::Handler showing(const BackendPtr& backend) {
  return [=](const ExchangePtr& exchange) {
    const auto model = [&]() -> Result<ModelInfo> {
      CISTERN_TRY(const std::string name, read_show_request(exchange->request().body));
      return backend->model(name);
    }();
    if (!model) return respond_error(*exchange, *backend, model.error());
    respond_json(*exchange, show_object(*model));
  };
}

http::Handler listing(const BackendPtr& backend, json::object (*write)(const std::vector<ModelInfo>&)) {
  return [=](const ExchangePtr& exchange) { respond_json(*exchange, write(backend->models())); };
}

void tell_version(const ExchangePtr& exchange) {
  respond_json(*exchange, {{"version", kInterfaceVersion}});
}

}  // namespace

std::vector<http::Route> routes(BackendPtr backend) {
  std::vector<http::Route> rows = {
      {"POST", "/api/chat", answering(backend, Endpoint::kChat, read_chat_request)},
      {"POST", "/api/generate", answering(backend, Endpoint::kGenerate, read_generate_request)},
      {"POST", "/api/embed", embedding(backend)},
      {"POST", "/api/embeddings", embedding_of_prompt(backend)},
      {"POST", "/api/show", showing(backend)},
      {"GET", "/api/tags", listing(backend, tags_object)},
      {"GET", "/api/ps", listing(backend, ps_object)},
      {"GET", "/api/version", tell_version},
  };
  for (const RefusedRoute& row : kRefusedRoutes)
    rows.push_back({std::string(row.method), std::string(row.path),
                    [instead = row.instead](const ExchangePtr& exchange) {
                      exchange->respond(
                          {.status = 501, .body = json::serialize(json::object{{"error", instead}})});
                    }});
  return rows;
}

}  // namespace cistern::serve::ollama
