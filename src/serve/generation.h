// A task that runs: its choices are requests to the service of its model, and what becomes of them is told to
// the sink in the order that answer.h promises. Made by the backend; kept alive by the service's listeners
// until the last choice has ended. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/service.h"
#include "serve/backend.h"
#include "serve/model_pool.h"
#include "serve/prepare.h"

namespace cistern::serve {

// How a task went, for metrics and logs. No text.
struct GenerationReport {
  std::string model;
  Usage usage;
  double first_token_s = 0;  // from the request to the first token of the first choice; 0: there was none
  double total_s = 0;
  std::uint32_t choices = 1;
  std::optional<Finish> finish;  // of the first choice; nothing: it failed
  std::optional<ErrorCode> error;
  const LoadedModel* loaded = nullptr;  // valid during the call; null: it was never loaded
  bool alone = false;                   // nothing else ran when it began and when it ended
  engine::Stats stats;                  // of the first choice
};
using ReportCall = std::function<void(const GenerationReport&)>;

// Which tasks run beside each other.
struct Activity {
  std::atomic<std::uint64_t> begun = 0;
  std::atomic<std::uint32_t> running = 0;
};

class Generation final : public RunningTask, public std::enable_shared_from_this<Generation> {
 public:
  struct Setting {
    std::string model;
    std::uint32_t choices = 1;
    std::shared_ptr<AnswerSink> sink;
    ReportCall report;
    std::shared_ptr<Activity> activity;
  };
  explicit Generation(Setting setting);

  // Submits the choices. An error means that nothing runs and that the sink has heard nothing.
  Result<void> start(ModelPool::Lease lease, PreparedTask prepared);

  // Where the task waits for its model. `give_up` ends the waiting; false: start() or fail_unstarted() comes.
  void wait_with(std::function<bool()> give_up);
  void fail_unstarted(const Error& error);

  void cancel() override;

 private:
  class Choice;
  enum class Telling { kHeld, kOn, kOff };  // until all choices are accepted, then, or when one was not

  void deliver(std::function<void()> call);
  void on_prompt(std::uint32_t choice, std::uint32_t prompt_tokens, std::uint32_t reused_tokens);
  void on_end(std::uint32_t choice, Finish finish, const engine::ServedEnd& end,
              std::uint32_t reasoning_tokens);
  void on_error(const Error& error);
  void count_ended();
  void end_unstarted();
  void abandon();
  void report();
  void cancel_request(std::size_t choice);
  void cancel_requests();

  const Setting setting_;
  const double asked_s_;
  PreparedTask prepared_;

  std::mutex requests_mutex_;  // never held while the service or the sink is called
  ModelPool::Lease lease_;     // until the last choice has ended
  std::vector<engine::RequestId> requests_;
  std::function<bool()> give_up_;
  bool cancelled_ = false;

  std::mutex telling_mutex_;  // held while the sink is called: its calls come one after the other
  Telling telling_ = Telling::kHeld;
  std::vector<std::function<void()>> held_;
  bool told_start_ = false;
  std::optional<std::uint64_t> alone_at_;  // value of activity_->begun, when nothing else ran
  std::uint32_t ended_ = 0;
  std::optional<Error> error_;
  GenerationReport report_;
};

}  // namespace cistern::serve
