#include "engine/bench_session.h"

#include <algorithm>

#include "base/check.h"
#include "base/rng.h"
#include "engine/runtime.h"
#include "sys/clock.h"

namespace cistern::engine {

struct BenchSession::Impl {
  std::unique_ptr<Runtime> runtime;
  BenchOptions options;
  std::uint32_t depth = 0;
  std::uint32_t sequences = 1;

  Result<void> append(std::uint32_t sequence, std::uint32_t tokens) {
    kv::Cache& cache = runtime->caches[sequence];
    Rng rng(options.seed + sequence * 1000003ULL + cache.length());
    std::vector<std::uint32_t> ids(tokens);
    for (std::uint32_t& id : ids) id = static_cast<std::uint32_t>(rng.next() % runtime->model.n_vocab);
    const std::size_t chunk = runtime->plan.compute.chunk_tokens;
    for (std::size_t begin = 0; begin < ids.size(); begin += chunk) {
      const auto part = std::span(ids).subspan(begin, std::min(chunk, ids.size() - begin));
      const model::SequenceTokens next{.ids = part, .cache = &cache};
      CISTERN_TRY_VOID(runtime->decoder->forward({&next, 1}));
      last_chunk = static_cast<std::uint32_t>(part.size());
    }
    return runtime->open.files.check_intact();
  }

  std::uint32_t last_chunk = 0;
};

BenchSession::BenchSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BenchSession::~BenchSession() = default;

Result<std::unique_ptr<BenchSession>> BenchSession::load(OpenModel model, BenchOptions options) {
  CISTERN_TRY_VOID(require_generator(model));
  auto impl = std::make_unique<Impl>();
  CISTERN_TRY(impl->runtime, load_runtime(std::move(model), options.load));
  impl->options = std::move(options);
  return std::unique_ptr<BenchSession>(new BenchSession(std::move(impl)));
}

const OpenModel& BenchSession::model() const {
  return impl_->runtime->open;
}
const plan::MemoryPlan& BenchSession::plan() const {
  return impl_->runtime->plan;
}
sys::Isa BenchSession::isa() const {
  return impl_->runtime->isa;
}
int BenchSession::threads() const {
  return impl_->runtime->pool->size();
}
double BenchSession::load_s() const {
  return impl_->runtime->load_s;
}

Result<void> BenchSession::fill(std::uint32_t depth, std::uint32_t sequences) {
  CISTERN_CHECK(sequences >= 1 && sequences <= impl_->runtime->caches.size());
  impl_->depth = depth;
  impl_->sequences = sequences;
  std::uint32_t missing = 0;
  for (std::uint32_t s = 0; s < sequences; ++s) {
    kv::Cache& cache = impl_->runtime->caches[s];
    if (cache.length() > depth) cache.truncate(cache.can_truncate(depth) ? depth : 0);
    missing += depth - cache.length();
  }
  const std::uint32_t chunk = impl_->runtime->plan.compute.chunk_tokens;
  std::uint32_t done = 0;
  for (std::uint32_t s = 0; s < sequences; ++s) {
    kv::Cache& cache = impl_->runtime->caches[s];
    while (cache.length() < depth) {
      const std::uint32_t n = std::min(chunk, depth - cache.length());
      CISTERN_TRY_VOID(impl_->append(s, n));
      done += n;
      if (impl_->options.progress) impl_->options.progress(done, missing);
    }
  }
  return {};
}

Result<double> BenchSession::prefill(std::uint32_t tokens) {
  const double start = sys::steady_seconds();
  CISTERN_TRY_VOID(impl_->append(0, tokens));
  CISTERN_TRY(const std::span<const float> logits, impl_->runtime->decoder->logits(impl_->last_chunk - 1, 1));
  const double seconds = sys::steady_seconds() - start;
  CISTERN_CHECK(!logits.empty());
  CISTERN_TRY_VOID(fill(impl_->depth, impl_->sequences));
  return seconds;
}

Result<double> BenchSession::decode(std::uint32_t steps) {
  Runtime& runtime = *impl_->runtime;
  const std::uint32_t n = impl_->sequences;
  std::vector<std::uint32_t> next(n, 1);
  std::vector<model::SequenceTokens> tokens(n);
  const double start = sys::steady_seconds();
  for (std::uint32_t step = 0; step < steps; ++step) {
    for (std::uint32_t s = 0; s < n; ++s) tokens[s] = {.ids = {&next[s], 1}, .cache = &runtime.caches[s]};
    CISTERN_TRY_VOID(runtime.decoder->forward(tokens));
    CISTERN_TRY(const std::span<const float> logits, runtime.decoder->logits(0, n));
    for (std::uint32_t s = 0; s < n; ++s) {
      const auto row = logits.subspan(s * runtime.model.n_vocab, runtime.model.n_vocab);
      next[s] = static_cast<std::uint32_t>(std::ranges::max_element(row) - row.begin());
    }
  }
  const double seconds = (sys::steady_seconds() - start) / steps;
  CISTERN_TRY_VOID(runtime.open.files.check_intact());
  CISTERN_TRY_VOID(fill(impl_->depth, n));
  return seconds;
}

DiskUse BenchSession::disk_use() const {
  return impl_->runtime->disk_use();
}

plan::StepWork BenchSession::work(std::uint32_t tokens) const {
  const Runtime& runtime = *impl_->runtime;
  return plan::work_of(runtime.model, runtime.open.inventory(), runtime.plan.cache,
                       kernels::resolve(runtime.isa),
                       {.depth = impl_->depth, .tokens = tokens, .sequences = impl_->sequences});
}

}  // namespace cistern::engine
