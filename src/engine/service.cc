#include "engine/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/planning.h"
#include "engine/runtime_calls.h"
#include "engine/scheduler.h"
#include "kv/cache_shape.h"

namespace cistern::engine {
namespace {

// Answers decoded together where nothing says how many: more gain little on a processor.
constexpr std::uint32_t kUsualRunning = 32;
// Of the budget, for what sequences have beside pages.
constexpr std::uint64_t kOwnShare = 8;
// How long a service that has nothing to do sleeps before it looks at the clock again.
constexpr auto kIdle = std::chrono::milliseconds(200);

// As many sequences as were asked for; else as many as leave most of the memory to their pages.
Result<std::uint32_t> choose_sequences(const OpenModel& model, const LoadOptions& load, std::uint32_t asked) {
  if (asked > 0) return asked;
  CISTERN_TRY(const spec::ModelSpec spec, spec::read_model_spec(model.inventory()));
  LoadOptions one = load;
  one.sequences = 1;
  CISTERN_TRY(const PlannedRun run, plan_run(model.files, model.path, spec, one));
  const std::uint64_t own = kv::own_bytes(run.plan.cache);
  std::uint32_t n = kUsualRunning;
  while (n > 1 && own * n > run.plan.budget_bytes / kOwnShare) n /= 2;
  return n;
}

}  // namespace

struct Service::Impl {
  // What callers put in, for the thread to take.
  struct Inbox {
    std::vector<std::unique_ptr<ServedSequence>> requests;
    std::vector<RequestId> cancelled;
    std::vector<std::function<void()>> calls;

    bool empty() const { return requests.empty() && cancelled.empty() && calls.empty(); }
  };

  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<Scheduler> scheduler;  // null: an encoder, which answers nothing
  std::uint32_t most_in_hand = 0;

  mutable std::mutex mutex;
  std::condition_variable changed;
  Inbox inbox;  // guarded by mutex, as all below
  ServiceState published;
  std::uint32_t in_hand = 0;  // requests that have been let in and not ended
  RequestId last_id = 0;
  bool stopping = false;
  std::thread thread;

  void run();
  void publish();
  bool idle() const { return scheduler == nullptr || scheduler->idle(); }
  void call(std::function<void()> what, std::uint64_t tokens);
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Service>> Service::start(OpenModel model, const LoadOptions& load,
                                                const ServiceOptions& options) {
  auto impl = std::make_unique<Impl>();
  LoadOptions served = load;
  CISTERN_TRY(const spec::ModelSpec spec, spec::read_model_spec(model.inventory()));
  served.mtp = false;
  served.paged = spec.causal;
  served.sequences = 1;
  if (spec.causal) {
    CISTERN_TRY(served.sequences, choose_sequences(model, served, options.max_running));
  }
  CISTERN_TRY(impl->runtime, load_runtime(std::move(model), served));
  if (spec.causal) {
    CISTERN_TRY(impl->scheduler, Scheduler::create(*impl->runtime));
  }
  impl->most_in_hand = served.sequences + options.max_queued;
  impl->publish();
  Impl* running = impl.get();
  running->thread = std::thread([running] { running->run(); });
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

Service::~Service() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_one();
  impl_->thread.join();
}

void Service::Impl::run() {
  for (bool stop = false; !stop;) {
    Inbox taken;
    {
      std::unique_lock lock(mutex);
      if (idle()) changed.wait_for(lock, kIdle, [&] { return stopping || !inbox.empty(); });
      std::swap(taken, inbox);
      stop = stopping;
    }
    for (auto& request : taken.requests) scheduler->add(std::move(request));
    for (const RequestId id : taken.cancelled) scheduler->cancel(id);
    for (const auto& what : taken.calls) what();
    if (stop && scheduler != nullptr) scheduler->cancel_all();
    if (!idle()) scheduler->step();
    publish();
  }
}

void Service::Impl::publish() {
  ServiceState state = scheduler == nullptr ? ServiceState{.max_running = 1} : scheduler->state();
  const std::lock_guard lock(mutex);
  in_hand =
      (scheduler == nullptr ? 0 : scheduler->in_hand()) + static_cast<std::uint32_t>(inbox.requests.size());
  published = state;
}

const OpenModel& Service::model() const {
  return impl_->runtime->open;
}
const spec::ModelSpec& Service::spec() const {
  return impl_->runtime->model;
}
const plan::MemoryPlan& Service::plan() const {
  return impl_->runtime->plan;
}
std::uint32_t Service::context_tokens() const {
  return impl_->runtime->plan.cache.context_tokens;
}
std::string Service::backend() const {
  return describe_backend(*impl_->runtime);
}
sys::Isa Service::isa() const {
  return impl_->runtime->isa;
}
int Service::threads() const {
  return impl_->runtime->pool->size();
}
double Service::load_s() const {
  return impl_->runtime->load_s;
}

Result<RequestId> Service::submit(ServedRequest request, std::shared_ptr<Listener> listener) {
  Runtime& runtime = *impl_->runtime;
  CISTERN_TRY_VOID(check_request(runtime, request.request));
  const auto refuse = [&] {
    return fail(ErrorCode::kBusy, fmt::format("{} requests are running or waiting already: try again later",
                                              impl_->most_in_hand));
  };
  RequestId id = 0;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->in_hand >= impl_->most_in_hand) return refuse();
    ++impl_->in_hand;
    id = ++impl_->last_id;
  }
  auto sequence = std::make_unique<ServedSequence>(id, *runtime.open.tokenizer, runtime.model.n_vocab,
                                                   std::move(request), std::move(listener));
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->inbox.requests.push_back(std::move(sequence));
  }
  impl_->changed.notify_one();
  return id;
}

void Service::cancel(RequestId id) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->scheduler == nullptr) return;
    impl_->inbox.cancelled.push_back(id);
  }
  impl_->changed.notify_one();
}

// Between steps, with the pages that so many tokens take.
void Service::Impl::call(std::function<void()> what, std::uint64_t tokens) {
  {
    const std::lock_guard lock(mutex);
    inbox.calls.push_back([this, tokens, run = std::move(what)] {
      const std::uint64_t context = runtime->plan.cache.context_tokens;
      if (scheduler != nullptr) scheduler->make_room(kv::pages_of(std::min(tokens, context)));
      run();
      runtime->sequence->clear();
    });
  }
  changed.notify_one();
}

void Service::embed(std::vector<text::TokenId> ids, std::optional<spec::Pooling> pooling,
                    std::function<void(Result<std::vector<float>>)> done) {
  const std::size_t n = ids.size();
  impl_->call([runtime = impl_->runtime.get(), pooling, ids = std::move(ids),
               done = std::move(done)] { done(engine::embed(*runtime, ids, pooling)); },
              n);
}

void Service::score(std::vector<text::TokenId> ids, std::optional<std::uint32_t> query_tokens,
                    std::function<void(Result<float>)> done) {
  const std::size_t n = ids.size();
  impl_->call([runtime = impl_->runtime.get(), query_tokens, ids = std::move(ids),
               done = std::move(done)] { done(engine::score(*runtime, ids, query_tokens)); },
              n);
}

ServiceState Service::state() const {
  const std::lock_guard lock(impl_->mutex);
  ServiceState state = impl_->published;
  state.queued += static_cast<std::uint32_t>(impl_->inbox.requests.size());
  return state;
}

}  // namespace cistern::engine
