// A Backend that tells what a test wrote down, for tests of the protocols: what it is asked is kept, what it
// answers is a list of calls of the sink. It tells them within generate(), on the caller's thread, or as far
// as `at_once` says and the rest by play(). Its members are set before it is used; cancel() of a task and
// play() may come from different threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serve/backend.h"

namespace cistern::testing {

// One call of a sink. Those below make them.
using Tell = std::function<void(serve::AnswerSink&)>;

Tell tell_start(std::uint32_t prompt_tokens, std::uint32_t cached_tokens = 0);
Tell tell_deltas(std::uint32_t choice, std::vector<serve::Delta> deltas,
                 std::vector<serve::ChosenLogprob> logprobs = {});
Tell tell_content(std::string text, std::uint32_t choice = 0);
Tell tell_reasoning(std::string text, std::uint32_t choice = 0);
Tell tell_call_begin(std::uint32_t call, std::string name, std::string id, std::uint32_t choice = 0);
Tell tell_call_arguments(std::uint32_t call, std::string text, std::uint32_t choice = 0);
Tell tell_call_end(std::uint32_t call, std::uint32_t choice = 0);
Tell tell_finish(serve::Finish finish, std::uint32_t choice = 0, std::string stop = {});
Tell tell_done(serve::Usage usage);
Tell tell_error(Error error);

class ScriptedBackend final : public serve::Backend {
 public:
  ScriptedBackend();
  ~ScriptedBackend() override;

  // What it answers.
  std::vector<serve::ModelInfo> listed = {serve::ModelInfo{.id = "m"}};  // an empty name means the first
  std::vector<Tell> script;                                              // of each task
  std::size_t at_once = SIZE_MAX;  // so many of the script's calls are made within generate()
  std::optional<Error> refusal;    // of whatever is asked, but for models
  std::size_t refused_after = 0;   // so many calls of generate() are not refused
  Vectors vectors;
  Scores scores;
  std::uint32_t counted_tokens = 0;
  std::uint32_t retry_s = 1;

  // What it was asked.
  std::vector<serve::GenerationTask> generated;
  std::optional<serve::GenerationTask> counted;
  std::optional<serve::EmbeddingTask> embedded;
  std::optional<serve::RerankTask> reranked;

  // So many further calls of the script, of every task that has not ended.
  void play(std::size_t calls = SIZE_MAX);
  // Tasks that were cancelled before they ended.
  std::size_t cancelled() const;
  // Sinks of tasks that are still known to someone: none, once every task has ended and nothing leaks.
  std::size_t living_sinks() const;

  std::vector<serve::ModelInfo> models() override { return listed; }
  Result<serve::ModelInfo> model(const std::string& name) override;
  Result<std::shared_ptr<serve::RunningTask>> generate(serve::GenerationTask task,
                                                       std::shared_ptr<serve::AnswerSink> sink) override;
  void embed(serve::EmbeddingTask task, std::function<void(Result<Vectors>)> done) override;
  void rerank(serve::RerankTask task, std::function<void(Result<Scores>)> done) override;
  Result<std::uint32_t> count_tokens(const serve::GenerationTask& task) override;
  std::uint32_t retry_after_s() override { return retry_s; }

 private:
  class Task;

  std::vector<std::shared_ptr<Task>> tasks_;
  std::vector<std::weak_ptr<serve::AnswerSink>> sinks_;
};

}  // namespace cistern::testing
