#include "serve/client_watch.h"

#include <utility>

namespace cistern::serve {

std::shared_ptr<ClientWatch> ClientWatch::start(http::Exchange& exchange) {
  auto watch = std::make_shared<ClientWatch>();
  exchange.on_closed([weak = std::weak_ptr(watch)] {
    if (const auto alive = weak.lock()) alive->cancel();
  });
  return watch;
}

void ClientWatch::add(std::shared_ptr<RunningTask> task) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kFinished) return;
    if (state_ == State::kOpen) {
      tasks_.push_back(std::move(task));
      return;
    }
  }
  task->cancel();
}

void ClientWatch::check(const http::Exchange& exchange) {
  if (exchange.unsent_bytes() > kMostUnsentBytes) cancel();
}

// A task may call its sink, and that this watch, within cancel(): never under the lock.
void ClientWatch::cancel() {
  std::vector<std::shared_ptr<RunningTask>> tasks;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kOpen) return;
    state_ = State::kCancelled;
    tasks = std::exchange(tasks_, {});
  }
  for (const auto& task : tasks) task->cancel();
}

void ClientWatch::finish() {
  std::vector<std::shared_ptr<RunningTask>> tasks;
  const std::lock_guard lock(mutex_);
  state_ = State::kFinished;
  tasks = std::exchange(tasks_, {});
}

}  // namespace cistern::serve
