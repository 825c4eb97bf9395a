// Feeds bodies of requests to every reader of OpenAI's protocol: nothing may crash, leak or grow beyond the
// bounds of serve/task.h; errors and tasks are both fine.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "serve/openai/chat_request.h"
#include "serve/openai/completion_request.h"
#include "serve/openai/embeddings.h"
#include "serve/openai/responses_request.h"

namespace {

using namespace cistern::serve;

void check_task(const GenerationTask& task) {
  CISTERN_CHECK(task.choices >= 1 && task.choices <= kMostChoices);
  CISTERN_CHECK(task.top_logprobs <= kMostTopLogprobs);
  CISTERN_CHECK(task.stop.size() <= kMostStops);
  CISTERN_CHECK(task.sampling.logit_bias.size() <= kMostBiases);
}

void check_conversation(const GenerationTask& task) {
  check_task(task);
  const auto& conversation = std::get<Conversation>(task.prompt);
  CISTERN_CHECK(conversation.tools.size() <= kMostTools);
  CISTERN_CHECK(!conversation.messages.empty());
  for (const auto& message : conversation.messages) {
    CISTERN_CHECK(message.at("role").is_string());
    CISTERN_CHECK(message.at("content").is_string() || message.as_object().contains("tool_calls") ||
                  message.as_object().contains("reasoning_content"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto request = openai::read_chat_request(body)) check_conversation(request->task);
  if (const auto request = openai::read_responses_request(body)) check_conversation(request->task);
  if (const auto request = openai::read_completion_request(body)) {
    check_task(request->task);
    CISTERN_CHECK(request->prompts.size() * request->task.choices <= openai::kMostPrompts);
  }
  if (const auto request = openai::read_embedding_request(body))
    CISTERN_CHECK(!request->task.inputs.empty() && request->task.inputs.size() <= kMostInputs);
  if (const auto request = openai::read_rerank_request(body))
    CISTERN_CHECK(!request->task.documents.empty() && request->task.documents.size() <= kMostInputs);
  return 0;
}
