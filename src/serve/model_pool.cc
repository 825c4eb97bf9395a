#include "serve/model_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "sys/clock.h"
#include "sys/memory_limits.h"

namespace cistern::serve {
namespace {

constexpr std::size_t kMostWaiting = 256;

struct Entry {
  std::unique_ptr<LoadedModel> model;
  std::uint32_t users = 0;
  double used_s = 0;  // when a lease last began or ended
};

struct Waiter {
  ModelPool::Ticket ticket = 0;
  Offer offer;
  ModelPool::Ready ready;
};

}  // namespace

struct ModelPool::State : std::enable_shared_from_this<ModelPool::State> {
  explicit State(Options given) : options(std::move(given)), base_rss_bytes(sys::current_rss_bytes()) {}

  void run();
  Lease lease_of(Entry& entry, bool is_use = true);  // under the lock
  void end_lease(const std::string& id, bool is_use);
  void hand_over(const Offer& offer, const Result<void>& outcome);
  Result<void> load(const Offer& offer);
  engine::LoadOptions load_options();
  bool make_room(const Offer& offer);
  void wait_or_unload(std::unique_lock<std::mutex>& lock);
  void unload(std::unique_lock<std::mutex>& lock, const std::string& id);
  std::map<std::string, Entry>::iterator longest_idle();
  bool is_wanted(const Offer& offer) const;
  void tell(const PoolEvent& event) const {
    if (options.on_event) options.on_event(event);
  }

  const Options options;
  const std::uint64_t base_rss_bytes;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Entry> entries;
  std::deque<Waiter> waiters;
  Ticket next_ticket = 1;
  std::uint64_t loads = 0;
  bool loading = false;
  bool making_room = false;  // whoever comes now waits for its turn, or a busy model would never be idle
  bool stopping = false;
  std::thread thread;
};

ModelPool::ModelPool(Options options) : state_(std::make_shared<State>(std::move(options))) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

ModelPool::~ModelPool() {
  stop();
}

void ModelPool::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
  std::map<std::string, Entry> entries;
  {
    const std::lock_guard lock(state_->mutex);
    entries.swap(state_->entries);
  }
  entries.clear();  // ends what runs, whose leases then find no entry
}

ModelPool::Lease ModelPool::lease(const Offer& offer) {
  const std::lock_guard lock(state_->mutex);
  const auto entry = state_->entries.find(offer.id);
  if (entry == state_->entries.end() || state_->making_room || state_->stopping) return nullptr;
  return state_->lease_of(entry->second);
}

Result<ModelPool::Ticket> ModelPool::wait_for(const Offer& offer, Ready ready) {
  const std::lock_guard lock(state_->mutex);
  if (state_->stopping) return fail(ErrorCode::kCancelled, "the server is stopping");
  if (state_->waiters.size() >= kMostWaiting)
    return fail(ErrorCode::kBusy, fmt::format("{} requests wait for models to be loaded", kMostWaiting));
  const Ticket ticket = state_->next_ticket++;
  state_->waiters.push_back({.ticket = ticket, .offer = offer, .ready = std::move(ready)});
  state_->changed.notify_all();
  return ticket;
}

bool ModelPool::give_up(Ticket ticket) {
  const std::lock_guard lock(state_->mutex);
  const auto waiter = std::ranges::find(state_->waiters, ticket, &Waiter::ticket);
  if (waiter == state_->waiters.end()) return false;
  state_->waiters.erase(waiter);
  state_->changed.notify_all();
  return true;
}

std::vector<ModelPool::Lease> ModelPool::loaded() {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::pair<double, Lease>> by_use;
  for (auto& [id, entry] : state_->entries) {
    constexpr bool kIsUse = false;  // looking at it is none
    by_use.emplace_back(entry.used_s, state_->lease_of(entry, kIsUse));
  }
  std::ranges::sort(by_use, std::ranges::greater{}, &std::pair<double, Lease>::first);
  std::vector<Lease> leases;
  for (auto& [used_s, lease] : by_use) leases.push_back(std::move(lease));
  return leases;
}

bool ModelPool::is_loading() const {
  const std::lock_guard lock(state_->mutex);
  return state_->loading || !state_->waiters.empty();
}

std::uint64_t ModelPool::loads() const {
  const std::lock_guard lock(state_->mutex);
  return state_->loads;
}

ModelPool::Lease ModelPool::State::lease_of(Entry& entry, bool is_use) {
  ++entry.users;
  if (is_use) entry.used_s = sys::steady_seconds();
  return {entry.model.get(), [state = shared_from_this(), id = entry.model->info.id,
                              is_use](const LoadedModel*) { state->end_lease(id, is_use); }};
}

void ModelPool::State::end_lease(const std::string& id, bool is_use) {
  const std::lock_guard lock(mutex);
  const auto entry = entries.find(id);
  if (entry == entries.end()) return;  // the pool is being destroyed
  if (is_use) entry->second.used_s = sys::steady_seconds();
  if (--entry->second.users == 0) changed.notify_all();
}

bool ModelPool::State::is_wanted(const Offer& offer) const {
  return std::ranges::any_of(waiters, [&](const Waiter& waiter) { return waiter.offer == offer; });
}

void ModelPool::State::run() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (waiters.empty()) {
      wait_or_unload(lock);
      continue;
    }
    const Offer offer = waiters.front().offer;
    const bool there = entries.contains(offer.id);
    loading = !there;
    lock.unlock();
    const Result<void> outcome = there ? Result<void>() : load(offer);
    hand_over(offer, outcome);
    lock.lock();
    loading = false;
  }
  std::deque<Waiter> rest = std::move(waiters);
  waiters.clear();
  lock.unlock();
  for (const Waiter& waiter : rest) waiter.ready(fail(ErrorCode::kCancelled, "the server is stopping"));
}

// Waits for something to do, or unloads what nobody used for long enough.
void ModelPool::State::wait_or_unload(std::unique_lock<std::mutex>& lock) {
  const auto oldest = options.idle_unload_s > 0 ? longest_idle() : entries.end();
  if (oldest == entries.end()) {
    changed.wait(lock);
    return;
  }
  const double left_s = oldest->second.used_s + options.idle_unload_s - sys::steady_seconds();
  if (left_s > 0) {
    changed.wait_for(lock, std::chrono::duration<double>(left_s));
  } else {
    unload(lock, oldest->first);
  }
}

std::map<std::string, Entry>::iterator ModelPool::State::longest_idle() {
  auto oldest = entries.end();
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    if (entry->second.users > 0) continue;
    if (oldest == entries.end() || entry->second.used_s < oldest->second.used_s) oldest = entry;
  }
  return oldest;
}

// What it held is freed without the lock.
void ModelPool::State::unload(std::unique_lock<std::mutex>& lock, const std::string& id) {
  auto entry = entries.extract(id);
  lock.unlock();
  const PoolEvent event{.kind = PoolEvent::Kind::kUnloaded, .id = entry.key(), .error = {}};
  entry.mapped().model.reset();
  tell(event);
  lock.lock();
}

// Everyone who waits for the model gets it, or why not.
void ModelPool::State::hand_over(const Offer& offer, const Result<void>& outcome) {
  std::vector<std::pair<Ready, Lease>> ready;
  {
    const std::lock_guard lock(mutex);
    const auto entry = entries.find(offer.id);
    for (auto waiter = waiters.begin(); waiter != waiters.end();) {
      if (waiter->offer != offer) {
        ++waiter;
        continue;
      }
      ready.emplace_back(std::move(waiter->ready),
                         entry == entries.end() ? nullptr : lease_of(entry->second));
      waiter = waiters.erase(waiter);
    }
  }
  for (auto& [call, lease] : ready) {
    if (lease != nullptr) {
      call(std::move(lease));
    } else {
      call(std::unexpected(outcome ? Error{ErrorCode::kCancelled, "nobody waits for the model", {}}
                                   : outcome.error()));
    }
  }
}

Result<void> ModelPool::State::load(const Offer& offer) {
  const double start = sys::steady_seconds();
  const auto attempt = [&]() -> Result<void> {
    while (true) {
      CISTERN_TRY(engine::OpenModel open, engine::open_model({.model = offer.path, .pre_override = {}}));
      const engine::LoadOptions load = load_options();
      if (!has_room(open, load) && make_room(offer)) continue;
      LoadPolicy policy = options.policy;
      policy.load = load;
      auto model = load_model(offer, std::move(open), policy);
      if (!model && model.error().code == ErrorCode::kMemory && make_room(offer)) continue;
      CISTERN_TRY(std::unique_ptr<LoadedModel> loaded, std::move(model));
      const PoolEvent event{
          .id = offer.id, .seconds = sys::steady_seconds() - start, .model = loaded.get(), .error = {}};
      tell(event);
      const std::lock_guard lock(mutex);
      entries[offer.id] = {.model = std::move(loaded), .used_s = sys::steady_seconds()};
      ++loads;
      return {};
    }
  };
  Result<void> outcome = attempt();
  if (!outcome) tell({.kind = PoolEvent::Kind::kFailed, .id = offer.id, .error = describe(outcome.error())});
  return outcome;
}

// The system counts as free what loaded models still need: the pages of their mapped files, and memory for
// keys and values that was taken but not yet touched.
engine::LoadOptions ModelPool::State::load_options() {
  const std::lock_guard lock(mutex);
  std::uint64_t mapped = 0;
  std::uint64_t taken = 0;
  for (const auto& [id, entry] : entries) {
    const plan::MemoryPlan& plan = entry.model->service->plan();
    (plan.streaming ? taken : mapped) += plan.weights_bytes;
    taken += plan.kv_bytes + plan.buffer_bytes;
  }
  const std::uint64_t grown = sys::current_rss_bytes() - std::min(base_rss_bytes, sys::current_rss_bytes());
  const std::uint64_t touched = std::min(grown - std::min(grown, mapped), taken);
  engine::LoadOptions load = options.policy.load;
  load.reserved_bytes += mapped + taken - touched;
  if (load.memory_bytes) *load.memory_bytes -= std::min(*load.memory_bytes, taken - touched);
  return load;
}

// Unloads the model that was used longest ago, waiting for one to be idle. False: there is none, or nobody
// waits for the new one any more.
bool ModelPool::State::make_room(const Offer& offer) {
  std::unique_lock lock(mutex);
  if (entries.empty()) return false;
  making_room = true;
  changed.wait(lock, [&] { return stopping || !is_wanted(offer) || longest_idle() != entries.end(); });
  making_room = false;
  if (stopping || !is_wanted(offer)) return false;
  unload(lock, std::string(longest_idle()->first));
  return true;
}

}  // namespace cistern::serve
