#include "serve/openai/routes.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "serve/openai/chat_reply.h"
#include "serve/openai/chat_request.h"
#include "serve/openai/completion_reply.h"
#include "serve/openai/completion_request.h"
#include "serve/openai/embeddings.h"
#include "serve/openai/models.h"
#include "serve/openai/reply.h"
#include "serve/openai/responses_reply.h"
#include "serve/openai/responses_request.h"

namespace cistern::serve::openai {
namespace {

constexpr std::string_view kModelPath = "/v1/models/";

using BackendPtr = std::shared_ptr<Backend>;
using ExchangePtr = std::shared_ptr<http::Exchange>;
// Answers, or says what is wrong before anything was answered.
using Action = Result<void> (*)(const BackendPtr&, const ExchangePtr&);

Result<void> chat(const BackendPtr& backend, const ExchangePtr& exchange) {
  CISTERN_TRY(ChatRequest request, read_chat_request(exchange->request().body));
  CISTERN_TRY(const ReplyTo to, ReplyTo::make(backend, exchange, request.task.model, "chatcmpl-"));
  const ChatReplyOptions options = {.choices = request.task.choices,
                                    .logprobs = request.task.logprobs,
                                    .include_usage = request.stream.include_usage};
  start(to, std::move(request.task),
        request.stream.stream ? make_chat_stream(to, options) : make_chat_document(to, options));
  return {};
}

Result<void> completion(const BackendPtr& backend, const ExchangePtr& exchange) {
  CISTERN_TRY(CompletionRequest request, read_completion_request(exchange->request().body));
  CISTERN_TRY(const ReplyTo to, ReplyTo::make(backend, exchange, request.task.model, "cmpl-"));
  const auto prompts = static_cast<std::uint32_t>(request.prompts.size());
  const auto reply = std::make_shared<CompletionReply>(
      to, CompletionReplyOptions{.prompts = prompts,
                                 .choices = request.task.choices,
                                 .logprobs = request.task.logprobs,
                                 .stream = request.stream.stream,
                                 .include_usage = request.stream.include_usage});
  for (std::uint32_t i = 0; i < prompts && !reply->is_complete(); ++i) {
    GenerationTask task = request.task;
    std::visit([&](auto& prompt) { task.prompt = std::move(prompt); }, request.prompts[i]);
    start(to, std::move(task), reply->sink_of_prompt(i));
  }
  return {};
}

Result<void> response(const BackendPtr& backend, const ExchangePtr& exchange) {
  CISTERN_TRY(ResponsesRequest request, read_responses_request(exchange->request().body));
  CISTERN_TRY(const ReplyTo to, ReplyTo::make(backend, exchange, request.task.model, "resp_"));
  start(to, std::move(request.task), make_response(to, std::move(request.echo), request.stream));
  return {};
}

Result<void> embeddings(const BackendPtr& backend, const ExchangePtr& exchange) {
  CISTERN_TRY(EmbeddingRequest request, read_embedding_request(exchange->request().body));
  CISTERN_TRY(const ModelInfo model, backend->model(request.task.model));
  if (request.dimensions && request.dimensions != model.embedding_dim)
    return fail(
        ErrorCode::kUsage,
        fmt::format("the vectors of this model have {} dimensions and cannot be cut", model.embedding_dim),
        "dimensions");
  backend->embed(std::move(request.task),
                 [=, base64 = request.base64](const Result<Backend::Vectors>& vectors) {
                   if (vectors) {
                     exchange->respond({.body = embedding_document(*vectors, model.id, base64)});
                   } else {
                     respond_error(*exchange, *backend, vectors.error());
                   }
                 });
  return {};
}

Result<void> rerank(const BackendPtr& backend, const ExchangePtr& exchange) {
  CISTERN_TRY(const RerankRequest request, read_rerank_request(exchange->request().body));
  CISTERN_TRY(const ModelInfo model, backend->model(request.task.model));
  backend->rerank(request.task, [=](const Result<Backend::Scores>& scores) {
    if (scores) {
      respond_json(*exchange, rerank_document(*scores, request, model.id));
    } else {
      respond_error(*exchange, *backend, scores.error());
    }
  });
  return {};
}

Result<void> models(const BackendPtr& backend, const ExchangePtr& exchange) {
  respond_json(*exchange, models_document(backend->models()));
  return {};
}

Result<void> model(const BackendPtr& backend, const ExchangePtr& exchange) {
  CISTERN_TRY(const ModelInfo info, backend->model(exchange->request().path.substr(kModelPath.size())));
  respond_json(*exchange, model_json(info));
  return {};
}

struct Row {
  const char* method;
  const char* path;
  Action action;
};
constexpr Row kRows[] = {
    {"POST", "/v1/chat/completions", chat}, {"POST", "/v1/completions", completion},
    {"POST", "/v1/responses", response},    {"POST", "/v1/embeddings", embeddings},
    {"POST", "/v1/rerank", rerank},         {"POST", "/rerank", rerank},
    {"GET", "/v1/models", models},          {"GET", "/v1/models/{id}", model},
};

}  // namespace

std::vector<http::Route> routes(std::shared_ptr<Backend> backend) {
  std::vector<http::Route> routes;
  for (const Row& row : kRows) {
    routes.push_back({row.method, row.path, [backend, action = row.action](const ExchangePtr& exchange) {
                        if (const auto done = action(backend, exchange); !done)
                          respond_error(*exchange, *backend, done.error());
                      }});
  }
  return routes;
}

}  // namespace cistern::serve::openai
