#include "serve/chat_prompt.h"

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "engine/prompt.h"
#include "serve/tool_prompt.h"
#include "text/chat_template.h"

namespace cistern::serve {
namespace {

namespace json = boost::json;

// Stands for the end of a message that is to be continued: the prompt is what the template writes before it.
// No model knows these code points, which are for private use.
constexpr std::string_view kHere = "\xEE\x80\x80here\xEE\x80\x81";

// What templates call the wish to reason, each the one its model was trained with.
void add_reasoning(const Conversation& conversation, json::object& extra) {
  if (conversation.reasoning) {
    extra["enable_thinking"] = *conversation.reasoning;
    extra["thinking"] = *conversation.reasoning;
  }
  if (!conversation.reasoning_effort.empty()) extra["reasoning_effort"] = conversation.reasoning_effort;
}

Result<json::array> with_mark(json::array messages) {
  json::object* last = messages.empty() ? nullptr : messages.back().if_object();
  json::value* content = last == nullptr ? nullptr : last->if_contains("content");
  if (content == nullptr || !content->is_string()) {
    return fail(ErrorCode::kUsage, "the last message has no text to continue", "messages");
  }
  content->as_string() += kHere;
  return messages;
}

}  // namespace

bool knows_tools(std::string_view template_source) {
  return template_source.find("tools") != std::string_view::npos;
}

Result<std::string> render_conversation(const engine::OpenModel& model, const text::jinja::Template& chat,
                                        const Conversation& conversation) {
  json::array messages = conversation.messages;
  if (conversation.continue_last) {
    CISTERN_TRY(messages, with_mark(std::move(messages)));
  }
  const bool tools = !conversation.tools.empty() && conversation.tool_choice != ToolChoice::kNone;
  const bool known = knows_tools(model.template_source.value_or(std::string_view()));
  if (tools && !known) messages = with_tools_described(std::move(messages), conversation.tools);
  text::ChatInput input = engine::chat_input(model, std::move(messages));
  if (tools && known) input.tools = conversation.tools;
  input.add_generation_prompt = !conversation.continue_last;
  add_reasoning(conversation, input.extra);
  for (const auto& [name, value] : conversation.template_arguments) input.extra[name] = value;
  CISTERN_TRY(std::string text, text::render_chat(chat, input));
  if (!conversation.continue_last) return text;
  const std::size_t here = text.rfind(kHere);
  if (here == std::string::npos) {
    return fail(ErrorCode::kTemplate, "the chat template of the model cannot continue an assistant's message",
                "messages");
  }
  text.resize(here);
  return text;
}

}  // namespace cistern::serve
