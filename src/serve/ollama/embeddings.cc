#include "serve/ollama/embeddings.h"

#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "serve/json_fields.h"
#include "serve/ollama/answer_sinks.h"
#include "serve/ollama/request_reader.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

using ExchangePtr = std::shared_ptr<http::Exchange>;
using BackendPtr = std::shared_ptr<Backend>;
using Write = std::function<json::object(const Backend::Vectors&)>;

json::array numbers(const std::vector<float>& vector) {
  json::array values;
  values.reserve(vector.size());
  for (const float value : vector) values.push_back(json_number(value));
  return values;
}

// Computes what the request asks for and answers with what `write` makes of it.
void answer(const BackendPtr& backend, ExchangePtr exchange, EmbedRequest request, Write write) {
  const auto model = backend->model(request.task.model);
  if (!model) return respond_error(*exchange, *backend, model.error());
  // No text is no work; clients load a model this way.
  if (request.task.inputs.empty()) return exchange->respond({.body = json::serialize(write({}))});
  auto done = [backend, exchange, write = std::move(write),
               dimensions = request.dimensions](Result<Backend::Vectors> vectors) {
    if (!vectors) return respond_error(*exchange, *backend, vectors.error());
    if (dimensions)
      for (std::vector<float>& row : vectors->rows) cut(row, *dimensions);
    exchange->respond({.body = json::serialize(write(*vectors))});
  };
  backend->embed(std::move(request.task), std::move(done));
}

}  // namespace

http::Handler embedding(BackendPtr backend) {
  return [backend = std::move(backend)](ExchangePtr exchange) {
    auto request = read_embed_request(exchange->request().body);
    if (!request) return respond_error(*exchange, *backend, request.error());
    const auto begun = std::chrono::steady_clock::now();
    auto write = [model = request->model, begun](const Backend::Vectors& vectors) {
      json::array rows;
      for (const std::vector<float>& row : vectors.rows) rows.push_back(numbers(row));
      const std::chrono::nanoseconds passed = std::chrono::steady_clock::now() - begun;
      return json::object{{"model", model},
                          {"embeddings", std::move(rows)},
                          {"total_duration", passed.count()},
                          {"load_duration", 0},
                          {"prompt_eval_count", vectors.prompt_tokens}};
    };
    answer(backend, std::move(exchange), *std::move(request), std::move(write));
  };
}

http::Handler embedding_of_prompt(BackendPtr backend) {
  return [backend = std::move(backend)](ExchangePtr exchange) {
    auto request = read_embeddings_request(exchange->request().body);
    if (!request) return respond_error(*exchange, *backend, request.error());
    auto write = [](const Backend::Vectors& vectors) {
      return json::object{
          {"embedding", vectors.rows.empty() ? json::array() : numbers(vectors.rows.front())}};
    };
    answer(backend, std::move(exchange), *std::move(request), std::move(write));
  };
}

void cut(std::vector<float>& vector, std::size_t dimensions) {
  if (dimensions >= vector.size()) return;
  vector.resize(dimensions);
  double squares = 0;
  for (const float value : vector) squares += double{value} * double{value};
  if (squares == 0) return;
  const double scale = 1 / std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(value * scale);
}

}  // namespace cistern::serve::ollama
