// What the protocols ask: models, answers, vectors, scores. The real one runs engines (serve/engine_backend);
// tests of protocols use one that is scripted. Thread-safe; calls do not block for long: results come by
// callback, from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "serve/answer.h"
#include "serve/task.h"

namespace cistern::serve {

struct ModelInfo {
  std::string id;            // what clients call it
  std::string arch;          // "qwen3moe"
  std::string quantization;  // "Q4_K_M", as far as the file tells
  std::uint64_t parameters = 0;
  std::uint64_t file_bytes = 0;
  std::int64_t modified_s = 0;       // UTC, of the file
  std::uint32_t context_tokens = 0;  // as loaded, or as trained when it is not loaded
  std::uint32_t trained_context_tokens = 0;
  std::uint32_t embedding_dim = 0;
  bool generates = true;  // else it embeds or reranks
  bool embeds = false;
  bool reranks = false;
  bool loaded = false;
  bool tools = false;         // its template knows tools
  bool reasons = false;       // its answers have a part for reasoning
  std::string chat_template;  // empty: none
};

// A task that runs. Dropping the handle does not end it; cancel() does, soon, with Finish::kCancelled for
// each choice and on_done().
class RunningTask {
 public:
  virtual ~RunningTask() = default;
  virtual void cancel() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::vector<ModelInfo> models() = 0;                   // the default one first
  virtual Result<ModelInfo> model(const std::string& name) = 0;  // kNotFound

  // Errors that are known at once are returned (a bad schema: kUnsupported or kUsage with the keyword in
  // `where`; kNotFound; kTooLong; kBusy); later ones come to the sink.
  virtual Result<std::shared_ptr<RunningTask>> generate(GenerationTask task,
                                                        std::shared_ptr<AnswerSink> sink) = 0;

  struct Vectors {
    std::vector<std::vector<float>> rows;  // of length 1
    std::uint32_t prompt_tokens = 0;
  };
  virtual void embed(EmbeddingTask task, std::function<void(Result<Vectors>)> done) = 0;

  struct Scores {
    std::vector<float> scores;  // of the documents, in their order
    std::uint32_t prompt_tokens = 0;
  };
  virtual void rerank(RerankTask task, std::function<void(Result<Scores>)> done) = 0;

  // Tokens of the prompt that the task would have.
  virtual Result<std::uint32_t> count_tokens(const GenerationTask& task) = 0;

  // By how many seconds a client that got kBusy should wait: for Retry-After.
  virtual std::uint32_t retry_after_s() = 0;
};

}  // namespace cistern::serve
