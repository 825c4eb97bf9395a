#include "support/scripted_backend.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace cistern::testing {

using serve::AnswerSink;
using serve::Delta;

Tell tell_start(std::uint32_t prompt_tokens, std::uint32_t cached_tokens) {
  return [=](AnswerSink& sink) { sink.on_start(prompt_tokens, cached_tokens); };
}

Tell tell_deltas(std::uint32_t choice, std::vector<Delta> deltas,
                 std::vector<serve::ChosenLogprob> logprobs) {
  return [=](AnswerSink& sink) { sink.on_delta(choice, deltas, logprobs); };
}

Tell tell_content(std::string text, std::uint32_t choice) {
  return tell_deltas(choice, {{.kind = Delta::Kind::kContent, .text = std::move(text)}});
}

Tell tell_reasoning(std::string text, std::uint32_t choice) {
  return tell_deltas(choice, {{.kind = Delta::Kind::kReasoning, .text = std::move(text)}});
}

Tell tell_call_begin(std::uint32_t call, std::string name, std::string id, std::uint32_t choice) {
  return tell_deltas(
      choice,
      {{.kind = Delta::Kind::kCallBegin, .call = call, .name = std::move(name), .id = std::move(id)}});
}

Tell tell_call_arguments(std::uint32_t call, std::string text, std::uint32_t choice) {
  return tell_deltas(choice, {{.kind = Delta::Kind::kCallArguments, .text = std::move(text), .call = call}});
}

Tell tell_call_end(std::uint32_t call, std::uint32_t choice) {
  return tell_deltas(choice, {{.kind = Delta::Kind::kCallEnd, .call = call}});
}

Tell tell_finish(serve::Finish finish, std::uint32_t choice, std::string stop) {
  return [=](AnswerSink& sink) { sink.on_finish(choice, finish, stop); };
}

Tell tell_done(serve::Usage usage) {
  return [=](AnswerSink& sink) { sink.on_done(usage); };
}

Tell tell_error(Error error) {
  return [=](AnswerSink& sink) { sink.on_error(error); };
}

// Plays a script to a sink, which it lets go of when the script ends or the task was cancelled. Stands before
// the sink to see which choices have finished.
class ScriptedBackend::Task final : public serve::RunningTask, private AnswerSink {
 public:
  Task(std::vector<Tell> script, std::shared_ptr<AnswerSink> sink, std::uint32_t choices)
      : script_(std::move(script)), finished_(choices, false), sink_(std::move(sink)) {}

  void play(std::size_t calls) {
    const std::lock_guard lock(telling_);  // calls come one after the other
    for (; calls > 0 && sink_ && next_ < script_.size(); --calls) {
      in_call_ = true;
      script_[next_++](*this);
      in_call_ = false;
      if (cancelled_ && sink_) tell_cancelled();
      if (next_ == script_.size()) sink_ = nullptr;
    }
  }

  void cancel() override {
    const std::lock_guard lock(telling_);  // recursive: a sink may cancel within a call
    if (!sink_ || std::exchange(cancelled_, true)) return;
    if (!in_call_) tell_cancelled();
  }

  bool is_cancelled() const {
    const std::lock_guard lock(telling_);
    return cancelled_;
  }

 private:
  void on_start(std::uint32_t prompt_tokens, std::uint32_t cached_tokens) override {
    sink_->on_start(prompt_tokens, cached_tokens);
  }
  void on_delta(std::uint32_t choice, const std::vector<Delta>& deltas,
                const std::vector<serve::ChosenLogprob>& logprobs) override {
    sink_->on_delta(choice, deltas, logprobs);
  }
  void on_finish(std::uint32_t choice, serve::Finish finish, const std::string& stop) override {
    finished_.at(choice) = true;
    sink_->on_finish(choice, finish, stop);
  }
  void on_done(const serve::Usage& usage) override { std::exchange(sink_, nullptr)->on_done(usage); }
  void on_error(const Error& error) override { std::exchange(sink_, nullptr)->on_error(error); }

  void tell_cancelled() {
    for (std::uint32_t choice = 0; choice < finished_.size(); ++choice)
      if (!finished_[choice]) sink_->on_finish(choice, serve::Finish::kCancelled, "");
    on_done({});
  }

  const std::vector<Tell> script_;
  mutable std::recursive_mutex telling_;
  std::vector<bool> finished_;  // by choice
  std::shared_ptr<AnswerSink> sink_;
  std::size_t next_ = 0;
  bool in_call_ = false;
  bool cancelled_ = false;
};

ScriptedBackend::ScriptedBackend() = default;
ScriptedBackend::~ScriptedBackend() = default;

void ScriptedBackend::play(std::size_t calls) {
  for (const auto& task : tasks_) task->play(calls);
}

std::size_t ScriptedBackend::cancelled() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(tasks_, [](const auto& task) { return task->is_cancelled(); }));
}

std::size_t ScriptedBackend::living_sinks() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(sinks_, [](const auto& sink) { return !sink.expired(); }));
}

Result<serve::ModelInfo> ScriptedBackend::model(const std::string& name) {
  for (const serve::ModelInfo& info : listed)
    if (name.empty() || info.id == name) return info;
  return fail(ErrorCode::kNotFound, "no model of the name '" + name + "'", "model");
}

Result<std::shared_ptr<serve::RunningTask>> ScriptedBackend::generate(serve::GenerationTask task,
                                                                      std::shared_ptr<AnswerSink> sink) {
  if (refusal && generated.size() >= refused_after) return std::unexpected(*refusal);
  CISTERN_TRY(const serve::ModelInfo info, model(task.model));
  const auto running = std::make_shared<Task>(script, sink, task.choices);
  generated.push_back(std::move(task));
  tasks_.push_back(running);
  sinks_.push_back(std::move(sink));
  running->play(at_once);
  return running;
}

void ScriptedBackend::embed(serve::EmbeddingTask task, std::function<void(Result<Vectors>)> done) {
  embedded = std::move(task);
  done(refusal ? Result<Vectors>(std::unexpected(*refusal)) : vectors);
}

void ScriptedBackend::rerank(serve::RerankTask task, std::function<void(Result<Scores>)> done) {
  reranked = std::move(task);
  done(refusal ? Result<Scores>(std::unexpected(*refusal)) : scores);
}

Result<std::uint32_t> ScriptedBackend::count_tokens(const serve::GenerationTask& task) {
  counted = task;
  if (refusal) return std::unexpected(*refusal);
  return counted_tokens;
}

}  // namespace cistern::testing
