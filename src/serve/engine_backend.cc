#include "serve/engine_backend.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <future>
#include <utility>

#include "serve/model_card.h"
#include "serve/prepare.h"
#include "serve/vector_job.h"

namespace cistern::serve {
namespace {

constexpr std::uint32_t kLongestRetry = 60;

}  // namespace

// What was read of a file that had this date and size.
struct EngineBackend::Card {
  std::filesystem::file_time_type written;
  std::uintmax_t bytes = 0;
  std::optional<ModelInfo> info;  // nothing: it cannot be run
};

EngineBackend::EngineBackend(OfferedModels models, ModelPool::Options pool, Options options)
    : offered_(std::move(models)), options_(std::move(options)), pool_(std::move(pool)) {}

EngineBackend::~EngineBackend() = default;

Result<ModelPool::Lease> EngineBackend::load(const std::string& name) {
  std::promise<Result<ModelPool::Lease>> promise;
  with_model(name, [&](Result<ModelPool::Lease> lease) { promise.set_value(std::move(lease)); });
  return promise.get_future().get();
}

std::vector<ModelInfo> EngineBackend::models() {
  std::vector<ModelInfo> infos;
  const std::vector<ModelPool::Lease> loaded = pool_.loaded();
  for (const Offer& offer : offered_.list()) {
    const auto here = std::ranges::find(loaded, offer.id, [](const auto& lease) { return lease->info.id; });
    if (here != loaded.end()) {
      infos.push_back((*here)->info);
    } else if (auto info = card(offer); info) {
      infos.push_back(*std::move(info));
    }
  }
  return infos;
}

Result<ModelInfo> EngineBackend::model(const std::string& name) {
  CISTERN_TRY(const Offer offer, offered_.find(name));
  for (const ModelPool::Lease& lease : pool_.loaded()) {
    if (lease->info.id == offer.id) return lease->info;
  }
  return read_model_card(offer);
}

std::optional<ModelInfo> EngineBackend::card(const Offer& offer) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(offer.path, error);
  const auto bytes = std::filesystem::file_size(offer.path, error);
  {
    const std::lock_guard lock(cards_mutex_);
    const auto known = cards_.find(offer.path);
    const bool fresh =
        known != cards_.end() && known->second.written == written && known->second.bytes == bytes;
    if (fresh) return known->second.info;
  }
  auto info = read_model_card(offer);
  Card card{.written = written, .bytes = bytes, .info = std::nullopt};
  if (info) card.info = *std::move(info);
  const std::lock_guard lock(cards_mutex_);
  return cards_.insert_or_assign(offer.path, std::move(card)).first->second.info;
}

Result<std::shared_ptr<RunningTask>> EngineBackend::generate(GenerationTask task,
                                                             std::shared_ptr<AnswerSink> sink) {
  CISTERN_TRY(const Offer offer, offered_.find(task.model));
  auto running = std::make_shared<Generation>(Generation::Setting{.model = offer.id,
                                                                  .choices = task.choices,
                                                                  .sink = std::move(sink),
                                                                  .report = options_.report,
                                                                  .activity = activity_});
  if (ModelPool::Lease lease = pool_.lease(offer)) {
    CISTERN_TRY(PreparedTask prepared, prepare(*lease, task, options_.longest_s));
    CISTERN_TRY_VOID(running->start(std::move(lease), std::move(prepared)));
    return running;
  }
  const auto ticket = std::make_shared<std::atomic<ModelPool::Ticket>>(0);
  running->wait_with([this, ticket] {
    const bool given_up = pool_.give_up(*ticket);
    if (given_up) --waiting_;
    return given_up;
  });
  ++waiting_;
  auto begin = [this, running, task = std::move(task)](Result<ModelPool::Lease> lease) {
    --waiting_;
    const auto started = [&]() -> Result<void> {
      CISTERN_TRY(ModelPool::Lease loaded, std::move(lease));
      CISTERN_TRY(PreparedTask prepared, prepare(*loaded, task, options_.longest_s));
      return running->start(std::move(loaded), std::move(prepared));
    }();
    if (!started) running->fail_unstarted(started.error());
  };
  auto waits = pool_.wait_for(offer, std::move(begin));
  if (!waits) {
    --waiting_;
    return std::unexpected(waits.error());
  }
  *ticket = *waits;
  return running;
}

void EngineBackend::with_model(const std::string& name, ModelPool::Ready ready) {
  const Result<Offer> offer = offered_.find(name);
  if (!offer) return ready(std::unexpected(offer.error()));
  if (ModelPool::Lease lease = pool_.lease(*offer)) return ready(std::move(lease));
  const auto shared = std::make_shared<ModelPool::Ready>(std::move(ready));
  const auto waits =
      pool_.wait_for(*offer, [shared](Result<ModelPool::Lease> lease) { (*shared)(std::move(lease)); });
  if (!waits) (*shared)(std::unexpected(waits.error()));
}

void EngineBackend::embed(EmbeddingTask task, std::function<void(Result<Vectors>)> done) {
  with_model(task.model, [task, done = std::move(done)](Result<ModelPool::Lease> lease) {
    if (!lease) return done(std::unexpected(lease.error()));
    start_embedding(*std::move(lease), task, done);
  });
}

void EngineBackend::rerank(RerankTask task, std::function<void(Result<Scores>)> done) {
  with_model(task.model, [task, done = std::move(done)](Result<ModelPool::Lease> lease) {
    if (!lease) return done(std::unexpected(lease.error()));
    start_reranking(*std::move(lease), task, done);
  });
}

Result<std::uint32_t> EngineBackend::count_tokens(const GenerationTask& task) {
  CISTERN_TRY(const Offer offer, offered_.find(task.model));
  std::vector<text::TokenId> ids;
  if (const ModelPool::Lease lease = pool_.lease(offer)) {
    CISTERN_TRY(ids, prompt_ids(lease->open(), lease->chat, task));
  } else {
    CISTERN_TRY(const engine::OpenModel open, engine::open_model({.model = offer.path, .pre_override = {}}));
    CISTERN_TRY(ids, prompt_ids(open, open.chat_template(), task));
  }
  return static_cast<std::uint32_t>(ids.size());
}

// As long as the requests that run take to make one place, on the whole.
std::uint32_t EngineBackend::retry_after_s() {
  double longest = 1;
  for (const ModelPool::Lease& lease : pool_.loaded()) {
    const engine::ServiceState state = lease->service->state();
    const std::uint64_t ended = state.finished + state.cancelled + state.failed;
    if (ended == 0 || state.queued == 0) continue;
    longest = std::max(longest, state.busy_s / static_cast<double>(ended) * state.queued);
  }
  return static_cast<std::uint32_t>(std::clamp(std::ceil(longest), 1.0, double{kLongestRetry}));
}

}  // namespace cistern::serve
