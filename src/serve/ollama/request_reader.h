// Requests of Ollama's interface as tasks. What cannot be done is an error that names the field. Model names
// may end in ":latest", which Ollama's clients add; tasks have the name without it. docs/ollama.md lists what
// is taken and what is refused. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "serve/task.h"

namespace cistern::serve::ollama {

// Of /api/chat and /api/generate.
struct AnswerRequest {
  enum class Wish { kAnswer, kLoad, kUnload };  // without messages or a prompt it is about the model alone

  std::string model;    // as the client named it
  GenerationTask task;  // of kLoad and kUnload: with the model alone
  Wish wish = Wish::kAnswer;
  bool stream = true;
  std::optional<std::uint32_t> context_tokens;  // the model's context has to be as large
};

Result<AnswerRequest> read_chat_request(std::string_view body);
Result<AnswerRequest> read_generate_request(std::string_view body);

struct EmbedRequest {
  std::string model;  // as the client named it
  EmbeddingTask task;
  std::optional<std::uint32_t> dimensions;  // cut to so many, and of length 1 again
};

Result<EmbedRequest> read_embed_request(std::string_view body);
// Of the old /api/embeddings: one "prompt".
Result<EmbedRequest> read_embeddings_request(std::string_view body);

// The name of the model that is asked about, without ":latest".
Result<std::string> read_show_request(std::string_view body);

}  // namespace cistern::serve::ollama
