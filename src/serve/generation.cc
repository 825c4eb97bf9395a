#include "serve/generation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sys/clock.h"

namespace cistern::serve {
namespace {

Finish finish_of(engine::StopReason reason, bool calls) {
  switch (reason) {
    case engine::StopReason::kEnd:
      return calls ? Finish::kToolCalls : Finish::kEnd;
    case engine::StopReason::kStopString:
      return Finish::kStop;
    case engine::StopReason::kLength:
    case engine::StopReason::kContextFull:
      return Finish::kLength;
    case engine::StopReason::kCancelled:
      return Finish::kCancelled;
  }
  return Finish::kEnd;
}

ChosenLogprob logprob_of(const text::Tokenizer& tokenizer, const engine::ServedToken& token) {
  const auto bytes = [&](text::TokenId id) { return std::string(tokenizer.rendering().text(id)); };
  ChosenLogprob logprob{.chosen = {.id = token.id, .bytes = bytes(token.id), .logprob = token.logprob},
                        .top = {}};
  for (const engine::Alternative& other : token.top)
    logprob.top.push_back({.id = other.id, .bytes = bytes(other.id), .logprob = other.logprob});
  return logprob;
}

}  // namespace

// One of the answers. The service holds it until it has ended.
class Generation::Choice final : public engine::Listener {
 public:
  Choice(std::shared_ptr<Generation> task, std::uint32_t index)
      : task_(std::move(task)), index_(index), reader_(task_->prepared_.answer) {}

  void on_prompt(std::uint32_t prompt_tokens, std::uint32_t reused_tokens) override {
    task_->deliver([task = task_, index = index_, prompt_tokens, reused_tokens] {
      task->on_prompt(index, prompt_tokens, reused_tokens);
    });
  }

  void on_token(const engine::ServedToken& token) override {
    if (complete_) return task_->cancel_request(index_);
    const bool was_reasoning = reader_.is_reasoning();
    std::vector<Delta> deltas = reader_.push(token.text);
    if (was_reasoning || reader_.is_reasoning()) ++reasoning_tokens_;
    std::vector<ChosenLogprob> logprobs;
    if (task_->prepared_.request.top_logprobs)
      logprobs.push_back(logprob_of(task_->lease_->tokenizer(), token));
    tell(std::move(deltas), std::move(logprobs));
    // The answer has all that it may have: what follows is not wanted.
    complete_ = reader_.is_complete();
    if (complete_) task_->cancel_request(index_);
  }

  void on_end(const engine::ServedEnd& end) override {
    if (!complete_) {
      std::vector<Delta> rest = reader_.push(end.tail);
      std::ranges::move(reader_.finish(), std::back_inserter(rest));
      tell(std::move(rest), {});
    }
    const engine::StopReason reason = complete_ ? engine::StopReason::kEnd : end.reason;
    task_->deliver([task = task_, index = index_, finish = finish_of(reason, reader_.has_calls()), end,
                    reasoning = reasoning_tokens_] { task->on_end(index, finish, end, reasoning); });
  }

  void on_error(const Error& error) override {
    task_->deliver([task = task_, error] { task->on_error(error); });
  }

 private:
  void tell(std::vector<Delta> deltas, std::vector<ChosenLogprob> logprobs) {
    if (deltas.empty() && logprobs.empty()) return;
    task_->deliver(
        [task = task_, index = index_, deltas = std::move(deltas), logprobs = std::move(logprobs)] {
          if (!task->error_) task->setting_.sink->on_delta(index, deltas, logprobs);
        });
  }

  const std::shared_ptr<Generation> task_;
  const std::uint32_t index_;
  AnswerReader reader_;
  std::uint32_t reasoning_tokens_ = 0;
  bool complete_ = false;
};

Generation::Generation(Setting setting) : setting_(std::move(setting)), asked_s_(sys::steady_seconds()) {
  report_.model = setting_.model;
  report_.choices = setting_.choices;
}

Result<void> Generation::start(ModelPool::Lease lease, PreparedTask prepared) {
  engine::Service& service = *lease->service;
  const std::uint64_t begun = ++setting_.activity->begun;
  if (setting_.activity->running++ == 0 && setting_.choices == 1) alone_at_ = begun;
  prepared_ = std::move(prepared);
  report_.loaded = lease.get();
  bool waited = false;
  {
    const std::lock_guard lock(requests_mutex_);
    waited = std::exchange(give_up_, nullptr) != nullptr;
    lease_ = lease;
  }
  if (waited) report_.usage.load_s = sys::steady_seconds() - asked_s_;
  for (std::uint32_t i = 0; i < setting_.choices; ++i) {
    engine::ServedRequest request = prepared_.request;
    request.request.sampling.seed += i;
    const auto id = service.submit(std::move(request), std::make_shared<Choice>(shared_from_this(), i));
    if (!id) {
      abandon();
      return std::unexpected(id.error());
    }
    const std::lock_guard lock(requests_mutex_);
    requests_.push_back(*id);
  }
  {
    const std::lock_guard lock(telling_mutex_);
    telling_ = Telling::kOn;
    for (const auto& call : held_) call();
    held_.clear();
  }
  // The client may have gone meanwhile.
  std::unique_lock lock(requests_mutex_);
  const bool cancelled = cancelled_;
  lock.unlock();
  if (cancelled) cancel_requests();
  return {};
}

// Those that were accepted end without anyone hearing of it.
void Generation::abandon() {
  --setting_.activity->running;
  {
    const std::lock_guard lock(telling_mutex_);
    telling_ = Telling::kOff;
    held_.clear();
  }
  cancel_requests();
}

void Generation::deliver(std::function<void()> call) {
  const std::lock_guard lock(telling_mutex_);
  if (telling_ == Telling::kHeld)
    held_.push_back(std::move(call));
  else if (telling_ == Telling::kOn)
    call();
}

void Generation::on_prompt(std::uint32_t choice, std::uint32_t prompt_tokens, std::uint32_t reused_tokens) {
  if (error_) return;
  if (!std::exchange(told_start_, true)) {
    report_.usage.prompt_tokens = prompt_tokens;
    report_.usage.cached_tokens = reused_tokens;
    report_.first_token_s = sys::steady_seconds() - asked_s_;
    setting_.sink->on_start(prompt_tokens, reused_tokens);
  }
  if (!prepared_.echo.empty())
    setting_.sink->on_delta(choice, {Delta{.text = prepared_.echo, .name = {}, .id = {}}}, {});
}

void Generation::on_end(std::uint32_t choice, Finish finish, const engine::ServedEnd& end,
                        std::uint32_t reasoning_tokens) {
  Usage& usage = report_.usage;
  usage.completion_tokens += end.stats.generated_tokens;
  usage.reasoning_tokens += reasoning_tokens;
  usage.decode_s = std::max(usage.decode_s, end.stats.decode_s);
  if (choice == 0) {
    usage.queue_s = end.queued_s;
    usage.prefill_s = end.stats.prefill_s;
    report_.stats = end.stats;
    report_.finish = finish;
  }
  if (!error_) setting_.sink->on_finish(choice, finish, finish == Finish::kStop ? end.stop : std::string());
  count_ended();
}

void Generation::on_error(const Error& error) {
  if (!error_) {
    error_ = error;
    cancel_requests();
  }
  count_ended();
}

void Generation::count_ended() {
  if (++ended_ < setting_.choices) return;
  --setting_.activity->running;
  report();
  if (error_) {
    setting_.sink->on_error(*error_);
  } else {
    setting_.sink->on_done(report_.usage);
  }
  const std::lock_guard lock(requests_mutex_);
  lease_ = nullptr;
}

void Generation::report() {
  report_.total_s = sys::steady_seconds() - asked_s_;
  report_.alone = alone_at_ && *alone_at_ == setting_.activity->begun;
  if (error_) report_.error = error_->code;
  if (setting_.report) setting_.report(report_);
  report_.loaded = nullptr;
}

void Generation::wait_with(std::function<bool()> give_up) {
  const std::lock_guard lock(requests_mutex_);
  give_up_ = std::move(give_up);
}

void Generation::fail_unstarted(const Error& error) {
  const std::lock_guard lock(telling_mutex_);
  error_ = error;
  report();
  setting_.sink->on_error(error);
}

// Cancelled before there was a model.
void Generation::end_unstarted() {
  const std::lock_guard lock(telling_mutex_);
  report_.finish = Finish::kCancelled;
  report();
  for (std::uint32_t i = 0; i < setting_.choices; ++i) setting_.sink->on_finish(i, Finish::kCancelled, {});
  setting_.sink->on_done(report_.usage);
}

void Generation::cancel() {
  std::function<bool()> give_up;
  {
    const std::lock_guard lock(requests_mutex_);
    cancelled_ = true;
    give_up = std::exchange(give_up_, nullptr);
  }
  if (give_up && give_up()) {
    end_unstarted();
  } else {
    cancel_requests();
  }
}

void Generation::cancel_request(std::size_t choice) {
  std::unique_lock lock(requests_mutex_);
  const ModelPool::Lease lease = lease_;
  if (lease == nullptr || choice >= requests_.size()) return;
  const engine::RequestId id = requests_[choice];
  lock.unlock();
  lease->service->cancel(id);
}

void Generation::cancel_requests() {
  std::unique_lock lock(requests_mutex_);
  const ModelPool::Lease lease = lease_;
  const std::vector<engine::RequestId> requests = requests_;
  lock.unlock();
  if (lease == nullptr) return;
  for (const engine::RequestId id : requests) lease->service->cancel(id);
}

}  // namespace cistern::serve
