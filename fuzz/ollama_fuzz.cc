// Arbitrary text as the body of each of the requests of Ollama's interface: a task, or a one-line error.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "base/error.h"
#include "serve/ollama/request_reader.h"

namespace cistern::serve::ollama {
namespace {

void touch(const AnswerRequest& request) {
  CISTERN_CHECK(!request.task.model.empty() && request.task.stop.size() <= kMostStops);
  if (request.wish != AnswerRequest::Wish::kAnswer) return;
  if (const auto* conversation = std::get_if<Conversation>(&request.task.prompt)) {
    CISTERN_CHECK(!conversation->messages.empty());
    for (const auto& message : conversation->messages)
      CISTERN_CHECK(message.at("role").is_string() && message.at("content").is_string());
  }
}

void touch(const EmbedRequest& request) {
  CISTERN_CHECK(!request.task.model.empty() && request.task.inputs.size() <= kMostInputs);
}

void touch(const std::string& model) {
  CISTERN_CHECK(!model.empty());
}

template <class T>
void touch(const Result<T>& read) {
  if (read) return touch(*read);
  const std::string message = describe(read.error());
  CISTERN_CHECK(!message.empty() && message.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace cistern::serve::ollama

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace ollama = cistern::serve::ollama;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  ollama::touch(ollama::read_chat_request(body));
  ollama::touch(ollama::read_generate_request(body));
  ollama::touch(ollama::read_embed_request(body));
  ollama::touch(ollama::read_embeddings_request(body));
  ollama::touch(ollama::read_show_request(body));
  return 0;
}
