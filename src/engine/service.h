// An engine that many requests share: the second door for front-ends beside engine.h, for those that serve.
// A thread of its own runs steps in which prompts are read in chunks beside the answers being decoded; keys
// and values lie in pages that requests with a common beginning share. What a request gets does not depend on
// what else runs. Thread-safe. Listeners are called on the service's thread, one call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"

namespace cistern::engine {

struct ServiceOptions {
  std::uint32_t max_running = 0;  // answers decoded together; 0: as many as memory and speed suggest
  std::uint32_t max_queued = 64;  // requests that wait beside them; more are refused with kBusy
};

struct Alternative {
  text::TokenId id = 0;
  float logprob = 0;  // of the model's distribution, before sampling changes it
};

struct ServedToken {
  text::TokenId id = 0;
  std::string text;   // complete UTF-8; may be empty while a character or a stop string is undecided
  float logprob = 0;  // when asked for
  std::vector<Alternative> top;
};

struct ServedEnd {
  StopReason reason = StopReason::kEnd;
  std::string tail;  // text that was held back and belongs to the answer
  std::string stop;  // the stop string of kStopString
  Stats stats;
  double queued_s = 0;  // from submit() to the first chunk of the prompt
};

// What becomes of a request. Must not block and must not call the service but for cancel().
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_prompt(std::uint32_t prompt_tokens, std::uint32_t reused_tokens) = 0;  // it has been read
  virtual void on_token(const ServedToken& token) = 0;
  // Exactly one of these is the last call.
  virtual void on_end(const ServedEnd& end) = 0;
  virtual void on_error(const Error& error) = 0;
};

struct ServedRequest {
  Request request;                            // context_shift is not looked at
  std::optional<std::uint32_t> top_logprobs;  // logprobs are wanted, with this many alternatives
  std::optional<double> timeout_s;            // from submit(): then it ends with kTimeout
  bool show_control = false;  // control tokens are text, too, but for those that end the answer
};

// Where the service stands: for metrics, and for what a page shows.
struct ServiceState {
  std::uint32_t running = 0;  // decoding or reading their prompts
  std::uint32_t queued = 0;
  std::uint32_t max_running = 0;
  std::uint64_t pages_all = 0;     // of keys and values
  std::uint64_t pages_used = 0;    // held by running requests
  std::uint64_t pages_cached = 0;  // kept for later requests, given up when needed
  std::uint32_t page_tokens = 0;
  std::uint64_t page_bytes = 0;
  std::uint64_t prompt_tokens = 0;  // since the start: read
  std::uint64_t reused_tokens = 0;  // found in the cache
  std::uint64_t generated_tokens = 0;
  std::uint64_t steps = 0;
  std::uint64_t finished = 0, cancelled = 0, failed = 0;  // requests
  double busy_s = 0;                                      // in which steps ran
};

using RequestId = std::uint64_t;

class Service {
 public:
  // The errors of Engine::load. `load.sequences` is not looked at: the options say.
  static Result<std::unique_ptr<Service>> start(OpenModel model, const LoadOptions& load,
                                                const ServiceOptions& options);
  ~Service();  // cancels everything, waits for the step at hand

  const OpenModel& model() const;
  const spec::ModelSpec& spec() const;
  const plan::MemoryPlan& plan() const;
  std::uint32_t context_tokens() const;  // of one request
  std::string backend() const;           // "avx512, 2 threads"
  sys::Isa isa() const;
  int threads() const;
  double load_s() const;

  // kBusy when the queue is full; kTooLong when the prompt does not fit; kUsage for what Engine::submit
  // refuses. Later errors come to the listener.
  Result<RequestId> submit(ServedRequest request, std::shared_ptr<Listener> listener);
  // Ends a request with StopReason::kCancelled, soon; one that is unknown or has ended stays so.
  void cancel(RequestId id);

  // As Engine::embed and Engine::score, between steps; `done` is called on the service's thread.
  void embed(std::vector<text::TokenId> ids, std::optional<spec::Pooling> pooling,
             std::function<void(Result<std::vector<float>>)> done);
  void score(std::vector<text::TokenId> ids, std::optional<std::uint32_t> query_tokens,
             std::function<void(Result<float>)> done);

  ServiceState state() const;

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cistern::engine
