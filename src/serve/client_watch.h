// Ties tasks to the client whom they answer: they are cancelled when it goes away before its answer is
// complete, or takes what it is sent so slowly that it piles up. Whoever answers holds the watch; the
// exchange only refers to it, and it lets go of the tasks when the answer is finished, so nothing keeps
// itself alive. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "serve/backend.h"
#include "serve/http/exchange.h"

namespace cistern::serve {

inline constexpr std::size_t kMostUnsentBytes = std::size_t{8} << 20U;  // of one answer

class ClientWatch {
 public:
  // Watches from now on. REQUIRES: `exchange` outlives the watch's answer.
  static std::shared_ptr<ClientWatch> start(http::Exchange& exchange);

  // A task for this client. One that comes after cancel() is cancelled at once.
  void add(std::shared_ptr<RunningTask> task);
  // To be called between pieces: cancels when too much is unsent.
  void check(const http::Exchange& exchange);
  void cancel();
  // The answer is complete: the tasks are nobody's business any more.
  void finish();

 private:
  enum class State { kOpen, kCancelled, kFinished };

  std::mutex mutex_;
  State state_ = State::kOpen;
  std::vector<std::shared_ptr<RunningTask>> tasks_;
};

}  // namespace cistern::serve
