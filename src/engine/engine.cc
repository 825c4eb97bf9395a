#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/generation.h"
#include "engine/runtime.h"

namespace cistern::engine {

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

std::string Engine::backend() const {
  const int threads = impl_->runtime->pool->size();
  return fmt::format("{}, {} thread{}", sys::name_of(impl_->runtime->isa), threads, threads == 1 ? "" : "s");
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
  const auto foreign =
      std::ranges::find_if(request.prompt, [&](text::TokenId id) { return id >= runtime.model.n_vocab; });
  if (foreign != request.prompt.end()) {
    return fail(ErrorCode::kUsage,
                fmt::format("token id {} is beyond the vocabulary of {}", *foreign, runtime.model.n_vocab));
  }
  CISTERN_TRY_VOID(sample::validate(request.sampling, runtime.model.n_vocab));
  runtime.cancelled.store(false);
  return Generation(std::make_unique<Generation::Impl>(runtime, std::move(request)));
}

Result<void> Engine::logits(std::span<const text::TokenId> ids, std::uint32_t chunk_tokens,
                            const std::function<void(std::span<const float>)>& row) {
  Runtime& runtime = *impl_->runtime;
  const std::uint32_t n_vocab = runtime.model.n_vocab;
  for (const text::TokenId id : ids) {
    if (id >= n_vocab)
      return fail(ErrorCode::kUsage, fmt::format("token id {} is beyond the vocabulary of {}", id, n_vocab));
  }
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

void Engine::cancel() noexcept {
  impl_->runtime->cancelled.store(true);
}

}  // namespace cistern::engine
