#include "serve/vector_job.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace cistern::serve {
namespace {

using text::TokenId;
using text::Tokenizer;

// Collects what comes for each of several inputs. The service calls one at a time, so nothing is locked.
template <class Value, class Answer>
struct Job {
  ModelPool::Lease model;
  std::function<void(Result<Answer>)> done;
  Answer answer;
  std::vector<Value>* values = nullptr;  // of the answer
  std::size_t missing = 0;
  std::optional<Error> error;

  void take(std::size_t index, const char* field, Result<Value> value) {
    if (value) {
      (*values)[index] = *std::move(value);
    } else if (!error) {
      error = Error{value.error().code, value.error().message, fmt::format("{}[{}]", field, index)};
    }
    if (--missing > 0) return;
    if (error) {
      done(std::unexpected(*error));
    } else {
      done(std::move(answer));
    }
  }
};
using EmbeddingJob = Job<std::vector<float>, Backend::Vectors>;
using RerankingJob = Job<float, Backend::Scores>;

Result<void> check_length(const engine::Service& service, std::size_t tokens, std::string where) {
  if (tokens <= service.context_tokens()) return {};
  return fail(ErrorCode::kTooLong,
              fmt::format("has {} tokens, but the model takes {} at once: cut it into shorter texts", tokens,
                          service.context_tokens()),
              std::move(where));
}

Result<std::vector<TokenId>> ids_of(const LoadedModel& model,
                                    const std::variant<std::string, RawTokens>& input, std::string where) {
  const Tokenizer& tokenizer = model.tokenizer();
  std::vector<TokenId> ids;
  if (const auto* text = std::get_if<std::string>(&input)) {
    CISTERN_TRY(ids, tokenizer.encode(*text, false));
    ids = tokenizer.add_prefix_suffix(std::move(ids));
  } else {
    ids = std::get<RawTokens>(input);
  }
  if (ids.empty()) return fail(ErrorCode::kUsage, "is empty", std::move(where));
  CISTERN_TRY_VOID(check_length(*model.service, ids.size(), std::move(where)));
  return ids;
}

Result<std::vector<std::vector<TokenId>>> all_ids(const LoadedModel& model, const EmbeddingTask& task) {
  if (!model.info.embeds) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("{} was not made for embeddings: choose a model that was", model.info.id),
                "model");
  }
  std::vector<std::vector<TokenId>> inputs;
  for (std::size_t i = 0; i < task.inputs.size(); ++i) {
    CISTERN_TRY(auto ids, ids_of(model, task.inputs[i], fmt::format("input[{}]", i)));
    inputs.push_back(std::move(ids));
  }
  return inputs;
}

Result<std::vector<Tokenizer::Pair>> all_pairs(const LoadedModel& model, const RerankTask& task) {
  if (!model.info.reranks) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("{} is no reranker: choose a model that is", model.info.id), "model");
  }
  const Tokenizer& tokenizer = model.tokenizer();
  CISTERN_TRY(const std::vector<TokenId> query, tokenizer.encode(task.query, false));
  std::vector<Tokenizer::Pair> pairs;
  for (std::size_t i = 0; i < task.documents.size(); ++i) {
    CISTERN_TRY(const std::vector<TokenId> document, tokenizer.encode(task.documents[i], false));
    CISTERN_TRY(Tokenizer::Pair pair, tokenizer.join_pair(query, document));
    CISTERN_TRY_VOID(check_length(*model.service, pair.ids.size(), fmt::format("documents[{}]", i)));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace

void start_embedding(ModelPool::Lease model, const EmbeddingTask& task,
                     std::function<void(Result<Backend::Vectors>)> done) {
  auto inputs = all_ids(*model, task);
  if (!inputs) return done(std::unexpected(inputs.error()));
  if (inputs->empty()) return done(Backend::Vectors{});
  engine::Service& service = *model->service;
  const auto job = std::make_shared<EmbeddingJob>(EmbeddingJob{
      .model = std::move(model), .done = std::move(done), .answer = {}, .missing = inputs->size()});
  job->values = &job->answer.rows;
  job->answer.rows.resize(inputs->size());
  for (const auto& ids : *inputs) job->answer.prompt_tokens += static_cast<std::uint32_t>(ids.size());
  for (std::size_t i = 0; i < inputs->size(); ++i) {
    service.embed(std::move((*inputs)[i]), std::nullopt,
                  [job, i](Result<std::vector<float>> row) { job->take(i, "input", std::move(row)); });
  }
}

void start_reranking(ModelPool::Lease model, const RerankTask& task,
                     std::function<void(Result<Backend::Scores>)> done) {
  auto pairs = all_pairs(*model, task);
  if (!pairs) return done(std::unexpected(pairs.error()));
  if (pairs->empty()) return done(Backend::Scores{});
  engine::Service& service = *model->service;
  const auto job = std::make_shared<RerankingJob>(RerankingJob{
      .model = std::move(model), .done = std::move(done), .answer = {}, .missing = pairs->size()});
  job->values = &job->answer.scores;
  job->answer.scores.resize(pairs->size());
  for (const auto& pair : *pairs) job->answer.prompt_tokens += static_cast<std::uint32_t>(pair.ids.size());
  for (std::size_t i = 0; i < pairs->size(); ++i) {
    service.score(std::move((*pairs)[i].ids), (*pairs)[i].first_tokens,
                  [job, i](Result<float> score) { job->take(i, "documents", std::move(score)); });
  }
}

}  // namespace cistern::serve
