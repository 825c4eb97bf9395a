#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/draft_model.h"
#include "engine/generation.h"
#include "engine/runtime.h"
#include "model/pooling.h"
#include "ops/pooling.h"
#include "sys/memory_limits.h"

namespace cistern::engine {

namespace {

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

Result<void> require_generator(const OpenModel& model) {
  CISTERN_TRY(const spec::ModelSpec spec, spec::read_model_spec(model.inventory()));
  return check_generates(spec, model.path);
}

struct Engine::Impl {
  std::unique_ptr<Runtime> runtime;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::load(OpenModel model, const LoadOptions& options) {
  auto impl = std::make_unique<Impl>();
  CISTERN_TRY(impl->runtime, load_runtime(std::move(model), options));
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

const OpenModel& Engine::model() const {
  return impl_->runtime->open;
}
const text::Tokenizer& Engine::tokenizer() const {
  return *impl_->runtime->open.tokenizer;
}
const spec::ModelSpec& Engine::spec() const {
  return impl_->runtime->model;
}
const plan::MemoryPlan& Engine::plan() const {
  return impl_->runtime->plan;
}
std::uint32_t Engine::context_tokens() const {
  return impl_->runtime->plan.cache.context_tokens;
}

sys::Isa Engine::isa() const {
  return impl_->runtime->isa;
}
int Engine::threads() const {
  return impl_->runtime->pool->size();
}

std::string Engine::backend() const {
  const int threads = impl_->runtime->pool->size();
  return fmt::format("{}, {} thread{}", sys::name_of(impl_->runtime->isa), threads, threads == 1 ? "" : "s");
}

Result<void> Engine::set_draft_model(OpenModel draft, const LoadOptions& options) {
  Runtime& runtime = *impl_->runtime;
  CISTERN_TRY_VOID(check_same_vocabulary(runtime.open, draft));
  LoadOptions load = options;
  load.sequences = 1;
  load.adapters.clear();  // they are made for the large one
  load.context_tokens.reset();
  load.wanted_tokens = context_tokens();
  // What the model will touch is not resident yet, but it is spoken for.
  const std::uint64_t planned = runtime.plan.total_bytes();
  const std::uint64_t budget = runtime.plan.budget_bytes;
  load.memory_bytes = budget > planned ? budget - planned + sys::current_rss_bytes() : 1;
  const std::string path = draft.path;
  CISTERN_TRY(std::unique_ptr<Runtime> small, load_runtime(std::move(draft), load));
  if (small->caches.front().has_state()) {
    return fail(ErrorCode::kUnsupported,
                "is a recurrent model, which cannot take a wrong guess back: use another draft model", path);
  }
  runtime.draft_model = std::make_unique<DraftModel>(std::move(small));
  return {};
}

Result<Generation> Engine::submit(Request request) {
  Runtime& runtime = *impl_->runtime;
  if (request.prompt.empty()) {
    return fail(ErrorCode::kUsage,
                "the prompt is empty and the model has no BOS token to begin with: give some text");
  }
  if (request.prompt.size() > context_tokens()) {
    return fail(ErrorCode::kTooLong, fmt::format("the prompt has {} tokens, but the context holds {}{}",
                                                 request.prompt.size(), context_tokens(),
                                                 context_tokens() < runtime.model.context_tokens
                                                     ? "; use a larger --ctx or more memory"
                                                     : "; shorten the prompt"));
  }
  CISTERN_TRY_VOID(check_generates(runtime.model, runtime.open.path));
  CISTERN_TRY_VOID(check_ids(runtime, request.prompt));
  CISTERN_TRY_VOID(sample::validate(request.sampling, runtime.model.n_vocab));
  runtime.cancelled.store(false);
  return Generation(std::make_unique<Generation::Impl>(runtime, std::move(request)));
}

Result<void> Engine::logits(std::span<const text::TokenId> ids, std::uint32_t chunk_tokens,
                            const std::function<void(std::span<const float>)>& row) {
  Runtime& runtime = *impl_->runtime;
  const std::uint32_t n_vocab = runtime.model.n_vocab;
  CISTERN_TRY_VOID(check_generates(runtime.model, runtime.open.path));
  CISTERN_TRY_VOID(check_ids(runtime, ids));
  runtime.sequence->clear();
  const auto emit = [&](std::uint32_t chunk) -> Result<void> {
    for (std::uint32_t first = 0; first < chunk;) {
      const std::uint32_t count = std::min(chunk - first, runtime.plan.compute.logit_rows);
      CISTERN_TRY(const std::span<const float> rows, runtime.decoder->logits(first, count));
      CISTERN_TRY_VOID(runtime.open.files.check_intact());
      for (std::uint32_t r = 0; r < count; ++r) row(rows.subspan(std::size_t{r} * n_vocab, n_vocab));
      first += count;
    }
    return {};
  };
  return runtime.sequence->feed(
      ids, {.chunk_tokens = chunk_tokens, .cancelled = &runtime.cancelled, .after_chunk = emit});
}

Result<std::vector<float>> Engine::embed(std::span<const text::TokenId> ids,
                                         std::optional<spec::Pooling> pooling) {
  Runtime& runtime = *impl_->runtime;
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

Result<float> Engine::score(std::span<const text::TokenId> ids, std::optional<std::uint32_t> query_tokens) {
  Runtime& runtime = *impl_->runtime;
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

void Engine::cancel() noexcept {
  impl_->runtime->cancelled.store(true);
}

}  // namespace cistern::engine
