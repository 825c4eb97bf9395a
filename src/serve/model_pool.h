// The models that are loaded. One that is asked for is loaded on a thread of the pool's own while its
// requests wait; where memory is short, models that nobody uses make room, the one that was used longest ago
// first; one that nobody used for a while is unloaded. A model in use is never unloaded: requests hold
// leases. Thread-safe. Lifetime: leases end before the pool does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "serve/loaded_model.h"
#include "serve/offered_models.h"

namespace cistern::serve {

struct PoolEvent {
  enum class Kind { kLoaded, kUnloaded, kFailed };
  Kind kind = Kind::kLoaded;
  std::string id;
  double seconds = 0;                  // what loading took
  const LoadedModel* model = nullptr;  // of kLoaded
  std::string error;                   // of kFailed
};

class ModelPool {
 public:
  struct Options {
    LoadPolicy policy;
    double idle_unload_s = 0;                        // 0: models stay until memory is wanted
    std::function<void(const PoolEvent&)> on_event;  // on the pool's thread; may be empty
  };
  explicit ModelPool(Options options);
  ~ModelPool();  // stop()
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;

  // Ends the waiting with kCancelled and unloads everything; nothing is loaded any more. REQUIRES: not called
  // on a thread of a service.
  void stop();

  using Lease = std::shared_ptr<const LoadedModel>;
  using Ready = std::function<void(Result<Lease>)>;
  using Ticket = std::uint64_t;

  // Null when it is not loaded, or others have waited for its memory for longer.
  Lease lease(const Offer& offer);
  // Loads it; `ready` is called on the pool's thread, or never after give_up(). kBusy: too many wait.
  Result<Ticket> wait_for(const Offer& offer, Ready ready);
  // Whether the ticket's `ready` will not be called any more.
  bool give_up(Ticket ticket);

  std::vector<Lease> loaded();  // the one used last first
  bool is_loading() const;
  std::uint64_t loads() const;  // since the start

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cistern::serve
