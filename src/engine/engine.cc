#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/draft_model.h"
#include "engine/generation.h"
#include "engine/runtime.h"
#include "engine/runtime_calls.h"
#include "sys/memory_limits.h"

namespace cistern::engine {

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
  return describe_backend(*impl_->runtime);
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
  CISTERN_TRY_VOID(check_request(runtime, request));
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
  return engine::embed(*impl_->runtime, ids, pooling);
}

Result<float> Engine::score(std::span<const text::TokenId> ids, std::optional<std::uint32_t> query_tokens) {
  return engine::score(*impl_->runtime, ids, query_tokens);
}

void Engine::cancel() noexcept {
  impl_->runtime->cancelled.store(true);
}

}  // namespace cistern::engine
