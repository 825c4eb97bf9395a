// Arbitrary text as the body of a request of Anthropic's Messages API, for an answer and for a count of its
// tokens: a task that chat templates can be given, or a one-line error.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "base/error.h"
#include "serve/anthropic/request_reader.h"

namespace cistern::serve::anthropic {
namespace {

void touch(const Error& error) {
  const std::string message = describe(error);
  CISTERN_CHECK(!message.empty() && message.find('\n') == std::string::npos);
}

void touch(const GenerationTask& task) {
  const auto& conversation = std::get<Conversation>(task.prompt);
  CISTERN_CHECK(!task.model.empty() && !conversation.messages.empty());
  for (const auto& message : conversation.messages)
    CISTERN_CHECK(message.at("role").is_string() && message.at("content").is_string());
  if (conversation.continue_last) CISTERN_CHECK(conversation.messages.back().at("role") == "assistant");
  const auto is_chosen = [&](const auto& tool) {
    return tool.at("function").at("name").as_string() == conversation.tool_name;
  };
  if (conversation.tool_choice == ToolChoice::kNamed)
    CISTERN_CHECK(std::any_of(conversation.tools.begin(), conversation.tools.end(), is_chosen));
  CISTERN_CHECK(task.stop.size() <= kMostStops && conversation.tools.size() <= kMostTools);
}

}  // namespace
}  // namespace cistern::serve::anthropic

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace anthropic = cistern::serve::anthropic;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto request = anthropic::read_messages_request(body)) {
    CISTERN_CHECK(request->task.max_tokens > 0);
    anthropic::touch(request->task);
  } else {
    anthropic::touch(request.error());
  }
  if (const auto task = anthropic::read_count_request(body)) {
    anthropic::touch(*task);
  } else {
    anthropic::touch(task.error());
  }
  return 0;
}
