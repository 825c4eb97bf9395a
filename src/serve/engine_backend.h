// The Backend that runs engines: finds the model that a client named, has it loaded, turns tasks into
// requests of its service (prepare.h, generation.h), and texts into vectors and scores (vector_job.h).
// Thread-safe. Lifetime: it outlives its tasks; stop() ends them.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/backend.h"
#include "serve/generation.h"
#include "serve/model_pool.h"
#include "serve/offered_models.h"

namespace cistern::serve {

class EngineBackend final : public Backend {
 public:
  struct Options {
    double longest_s = 0;  // a task may take; 0: any time
    ReportCall report;     // after each generation; may be empty. Must not block
  };
  EngineBackend(OfferedModels models, ModelPool::Options pool, Options options);
  ~EngineBackend() override;

  // Ends all tasks and unloads all models, on the thread of its owner: sinks hold the backend, and the last
  // of them may be dropped by a thread that ends here. Tasks that come later are refused.
  void stop() { pool_.stop(); }

  // Waits until the model is loaded: the one that a command names has to be there before it listens.
  Result<ModelPool::Lease> load(const std::string& name);

  std::vector<ModelInfo> models() override;
  Result<ModelInfo> model(const std::string& name) override;
  Result<std::shared_ptr<RunningTask>> generate(GenerationTask task,
                                                std::shared_ptr<AnswerSink> sink) override;
  void embed(EmbeddingTask task, std::function<void(Result<Vectors>)> done) override;
  void rerank(RerankTask task, std::function<void(Result<Scores>)> done) override;
  Result<std::uint32_t> count_tokens(const GenerationTask& task) override;
  std::uint32_t retry_after_s() override;

  ModelPool& pool() { return pool_; }
  std::uint32_t waiting() const { return waiting_; }  // tasks that wait for their model

 private:
  std::optional<ModelInfo> card(const Offer& offer);
  void with_model(const std::string& name, ModelPool::Ready ready);

  const OfferedModels offered_;
  const Options options_;
  const std::shared_ptr<Activity> activity_ = std::make_shared<Activity>();
  std::atomic<std::uint32_t> waiting_ = 0;
  std::mutex cards_mutex_;
  struct Card;
  std::map<std::string, Card> cards_;  // of models that are not loaded, by path
  ModelPool pool_;                     // last: its thread ends first
};

}  // namespace cistern::serve
