// The door for front-ends: open a model file, load it within the memory budget, turn a prompt into a stream
// of tokens. An OpenModel is cheap (file mapped, metadata read, nothing allocated for running) and serves the
// commands that only look; an Engine adds the memory plan, the KV cache and the decoder. It runs one
// generation at a time, on one thread (service.h has the engine of many); only cancel() may come from another
// thread or a signal handler. An Engine outlives its Generations; an OpenModel moves into its Engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/stats.h"
#include "file/inventory.h"
#include "plan/memory_plan.h"
#include "sample/sampler.h"
#include "spec/model_spec.h"
#include "sys/cpu_features.h"
#include "sys/file_reader.h"
#include "tensor/dtype.h"
#include "text/jinja/template.h"
#include "text/tokenizer.h"

namespace cistern::engine {

// What a model name means: a path, "guide" (the embedded model, also the empty name), or the unique prefix of
// a file in the models directory ($CISTERN_MODELS, else $XDG_DATA_HOME/cistern/models).
inline constexpr const char* kGuide = "guide";
Result<std::string> resolve_model(const std::string& name);

struct OpenOptions {
  std::string model;         // see resolve_model
  std::string pre_override;  // pre-tokenizer to use instead of the file's; empty: the file's
};

struct OpenModel {
  std::string path;  // of the first file, or "guide"
  file::ModelFiles files;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::optional<std::string_view> template_source;  // of the chat template; nothing: the file has none
  double open_s = 0;                                // what opening took

  const file::Inventory& inventory() const { return files.inventory; }
  // Parses template_source: kNotFound when there is none, kTemplate when it is malformed.
  Result<text::jinja::Template> chat_template() const;
};

// kUnsupported for encoders, which have no next token to predict, with what to use instead.
Result<void> require_generator(const OpenModel& model);

// Maps the files and reads metadata and tokenizer. A malformed chat template is no error here: plain text
// needs none.
Result<OpenModel> open_model(const OpenOptions& options);

// A low-rank adapter (LoRA) to run the model with.
struct AdapterOptions {
  std::string path;    // of a GGUF file
  float scale = 1.0F;  // of what it changes; finite
};

// How a model runs that is larger than the memory it gets: known before it is loaded.
struct StreamingForecast {
  plan::Streaming streaming;
  double disk_bytes_per_s = 0;  // measured on the model's file
  double low_tok_s = 0;         // decoding, if nothing is computed while the disk reads
  double high_tok_s = 0;        // if all is
  bool past_page_cache = true;
};

struct LoadOptions {
  std::optional<std::uint32_t> context_tokens;  // exact: refused when it does not fit
  std::uint32_t wanted_tokens = 0;              // automatic context: no more than this is needed; 0: unknown
  DType kv_type = DType::kF16;
  std::uint32_t sequences = 1;  // decoded together; submit() uses the first
  bool paged = false;           // they share pages of keys and values: see service.h
  int threads = 0;              // 0: one per physical core that this process may use
  std::optional<sys::Isa> isa;
  std::optional<std::uint64_t> memory_bytes;  // budget, where smaller than the machine's
  std::uint64_t reserved_bytes = 0;           // of the machine's, for what the caller allocates meanwhile
  std::uint64_t coming_bytes = 0;             // that the process holds when it loads, but not yet
  std::vector<AdapterOptions> adapters;       // all of them together, on every token
  bool mtp = false;  // guess with the layer that predicts further tokens, where there is one and room for it

  // Of models that are streamed from disk. May be empty.
  std::function<void(const StreamingForecast&)> on_streaming;                            // before loading
  std::function<void(std::uint64_t done_bytes, std::uint64_t all_bytes)> load_progress;  // of what stays
  std::string memory_folder;  // where the experts wanted most are remembered; empty: nowhere
  double disk_stall_s = 30;   // without any answer of the disk, after which a request fails
  // Reads the files of these paths; empty: as the system does it best. For tests.
  std::function<Result<std::unique_ptr<sys::FileReader>>(std::span<const std::string>)> make_reader;
};

// A run as it would be loaded with these options on this machine now.
struct PlannedRun {
  spec::ModelSpec model;
  plan::MemoryPlan plan;
  sys::Isa isa = sys::Isa::kScalar;
  int threads = 1;
};

// Nothing is loaded; a header is enough. The errors of Engine::load, which call the model `path`.
Result<PlannedRun> plan_run(const file::ModelFiles& files, const std::string& path, spec::ModelSpec model,
                            const LoadOptions& options);

struct Request {
  std::vector<text::TokenId> prompt;  // complete: BOS and template included. Empty: an error
  std::uint32_t max_tokens = 0;       // 0: until an end token or the end of the context
  sample::SamplerOptions sampling;
  std::vector<std::string> stop;  // strings that end the answer; never shown, not even in part
  bool ignore_end = false;        // go on after end tokens
  bool speculate = true;          // guess tokens and check several in one step: the same answer, sooner
  bool context_shift = false;     // when full, forget the older half (after keep_tokens) and go on
  std::uint32_t keep_tokens = 0;  // first tokens that a shift keeps
  std::shared_ptr<const sample::Grammar> grammar;  // of the answer (sample/grammar.h); null: any text
};

enum class StopReason { kEnd, kLength, kStopString, kContextFull, kCancelled };
const char* name_of(StopReason reason);  // "end", "length", "stop", "context", "cancelled"

struct Step {
  text::TokenId id;
  std::string text;  // complete UTF-8; may be empty while a character or a stop string is undecided
};

class Engine;

// One answer being generated. The first next() reads the prompt.
class Generation {
 public:
  Generation(Generation&&) noexcept;
  ~Generation();

  // The next token; nothing when the answer has ended (then stop_reason() says why). The end token itself is
  // not a step. Text still held back when the answer ends comes with tail().
  Result<std::optional<Step>> next();
  std::string tail();  // after the end: what was held back and is to be shown; empty mostly
  StopReason stop_reason() const;
  Stats stats() const;

 private:
  friend class Engine;
  struct Impl;
  explicit Generation(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Engine {
 public:
  // kMemory when weights and the asked context do not fit, with numbers and the largest context that fits.
  static Result<std::unique_ptr<Engine>> load(OpenModel model, const LoadOptions& options);
  ~Engine();

  const OpenModel& model() const;
  const text::Tokenizer& tokenizer() const;
  const spec::ModelSpec& spec() const;
  const plan::MemoryPlan& plan() const;
  std::uint32_t context_tokens() const;
  std::string backend() const;  // "avx512, 2 threads"
  sys::Isa isa() const;
  int threads() const;

  // From now on this smaller model guesses tokens for those that answer: it must have the same vocabulary. It
  // gets a context of the same length, within the memory that is left. kUsage, or the errors of load().
  Result<void> set_draft_model(OpenModel draft, const LoadOptions& options);

  // Starts an answer, re-using what the KV cache holds. kTooLong when the prompt does not fit the context.
  Result<Generation> submit(Request request);

  // Logits after every token of `ids`, from an empty cache, `chunk_tokens` at a time (0: as the plan has it).
  // `row` receives n_vocab values per token, in order.
  Result<void> logits(std::span<const text::TokenId> ids, std::uint32_t chunk_tokens,
                      const std::function<void(std::span<const float>)>& row);

  // One vector of dim values and Euclidean length 1 for the whole of `ids`, which are complete with the
  // tokens that the vocabulary wants around a text. `pooling` replaces the file's. kUsage when neither says
  // how (mean, cls or last), or the model is a reranker; kTooLong beyond the context.
  Result<std::vector<float>> embed(std::span<const text::TokenId> ids,
                                   std::optional<spec::Pooling> pooling = std::nullopt);

  // A reranker's score of a query and a document, `ids` together; how many of them are the query's, with the
  // tokens around it, matters to models with token types. kUnsupported for other models.
  Result<float> score(std::span<const text::TokenId> ids,
                      std::optional<std::uint32_t> query_tokens = std::nullopt);

  // Ends the running generation before its next token (or between two chunks of its prompt).
  void cancel() noexcept;

 private:
  friend class Generation;
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cistern::engine
