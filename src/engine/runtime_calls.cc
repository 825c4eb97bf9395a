#include "engine/runtime_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/pooling.h"
#include "ops/pooling.h"

namespace cistern::engine {

std::string describe_backend(const Runtime& runtime) {
  const int threads = runtime.pool->size();
  return fmt::format("{}, {} thread{}", sys::name_of(runtime.isa), threads, threads == 1 ? "" : "s");
}

Result<void> check_ids(const Runtime& runtime, std::span<const text::TokenId> ids) {
  const std::uint32_t n_vocab = runtime.model.n_vocab;
  const auto foreign = std::ranges::find_if(ids, [n_vocab](text::TokenId id) { return id >= n_vocab; });
  if (foreign == ids.end()) return {};
  return fail(ErrorCode::kUsage,
              fmt::format("token id {} is beyond the vocabulary of {}", *foreign, n_vocab));
}

Result<void> check_generates(const spec::ModelSpec& model, const std::string& path) {
  if (model.causal) return {};
  return fail(ErrorCode::kUnsupported,
              fmt::format("is an encoder ('{}'), which reads texts and writes none: use cistern {}",
                          model.arch, model.n_labels > 0 ? "rerank" : "embed"),
              path);
}

Result<void> check_request(const Runtime& runtime, const Request& request) {
  const std::uint32_t context = runtime.plan.cache.context_tokens;
  if (request.prompt.empty()) {
    return fail(ErrorCode::kUsage,
                "the prompt is empty and the model has no BOS token to begin with: give some text");
  }
  if (request.prompt.size() > context) {
    return fail(
        ErrorCode::kTooLong,
        fmt::format("the prompt has {} tokens, but the context holds {}{}", request.prompt.size(), context,
                    context < runtime.model.context_tokens ? "; use a larger --ctx or more memory"
                                                           : "; shorten the prompt"));
  }
  CISTERN_TRY_VOID(check_generates(runtime.model, runtime.open.path));
  CISTERN_TRY_VOID(check_ids(runtime, request.prompt));
  CISTERN_TRY_VOID(sample::validate(request.sampling, runtime.model.n_vocab));
  return {};
}

namespace {

// Runs the text through the model and pools its final hidden states.
Result<void> pool(Runtime& runtime, std::span<const text::TokenId> ids,
                  std::optional<std::uint32_t> first_segment, model::Pooler& pooler) {
  CISTERN_TRY_VOID(check_ids(runtime, ids));
  if (ids.empty()) return fail(ErrorCode::kUsage, "the text has no tokens: give some text");
  runtime.sequence->clear();
  return runtime.sequence->feed(ids, {.cancelled = &runtime.cancelled,
                                      .after_chunk = [&](std::uint32_t n) { return pooler.add(n); },
                                      .first_segment = first_segment});
}

}  // namespace

Result<std::vector<float>> embed(Runtime& runtime, std::span<const text::TokenId> ids,
                                 std::optional<spec::Pooling> pooling) {
  const spec::Pooling kind = pooling.value_or(runtime.model.pooling);
  if (kind == spec::Pooling::kRank) {
    return fail(ErrorCode::kUsage, "is a reranker: use cistern rerank, or --pooling mean, cls or last",
                runtime.open.path);
  }
  if (kind == spec::Pooling::kNone) {
    return fail(ErrorCode::kUsage,
                "does not say how to make one vector of a text: use --pooling mean, cls or last",
                runtime.open.path);
  }
  model::Pooler pooler(*runtime.decoder, runtime.model.dim, kind);
  CISTERN_TRY_VOID(pool(runtime, ids, std::nullopt, pooler));
  const std::span<float> pooled = pooler.pooled();
  CISTERN_TRY_VOID(runtime.decoder->run_dense_layers(pooled));
  CISTERN_TRY_VOID(runtime.open.files.check_intact());
  ops::scale_to_unit_length(pooled);
  return std::vector<float>(pooled.begin(), pooled.end());
}

Result<float> score(Runtime& runtime, std::span<const text::TokenId> ids,
                    std::optional<std::uint32_t> query_tokens) {
  if (runtime.model.n_labels == 0) {
    return fail(ErrorCode::kUnsupported, "is no reranker: the file has no classifier", runtime.open.path);
  }
  if (runtime.model.n_labels > 1) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("is no reranker: its classifier gives {} labels, not a score", runtime.model.n_labels),
        runtime.open.path);
  }
  if (!runtime.decoder->has_classifier()) {
    return fail(ErrorCode::kUnsupported,
                "lacks the layer before its classifier (cls.weight, BERT's pooler), which some converters "
                "leave out; scores without it would be wrong",
                runtime.open.path);
  }
  model::Pooler pooler(*runtime.decoder, runtime.model.dim, spec::Pooling::kCls);
  CISTERN_TRY_VOID(pool(runtime, ids, query_tokens, pooler));
  CISTERN_TRY(const std::span<const float> scores, runtime.decoder->classify(pooler.pooled()));
  CISTERN_TRY_VOID(runtime.open.files.check_intact());
  return scores.front();
}

}  // namespace cistern::engine
