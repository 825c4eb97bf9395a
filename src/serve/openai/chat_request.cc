#include "serve/openai/chat_request.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "serve/json_fields.h"
#include "serve/openai/common_fields.h"
#include "serve/openai/text_content.h"
#include "serve/openai/tool_fields.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

constexpr std::array kRefused = {
    Refused{"functions", "is not supported: use tools"},
    Refused{"function_call", "is not supported: use tool_choice"},
    Refused{"audio", "sound is not supported"},
    Refused{"web_search_options", "this server does not search the web"},
};
constexpr std::array<TextPart, 2> kTextParts = {TextPart{"text", "text"}, {"refusal", "refusal"}};

struct Role {
  std::string_view name;           // as clients write it
  std::string_view template_name;  // as templates know it
};
constexpr std::array kRoles = {
    Role{"system", "system"},       Role{"developer", "system"}, Role{"user", "user"},
    Role{"assistant", "assistant"}, Role{"tool", "tool"},        Role{"function", "tool"},
};
constexpr auto kRoleNames = [] {
  std::array<std::string_view, kRoles.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kRoles[i].name;
  return names;
}();

Result<json::object> read_call(const Field& field) {
  CISTERN_TRY(const Fields fields, Fields::of(field));
  CISTERN_TRY(const auto id, fields.text("id"));
  CISTERN_TRY(const auto type, fields.text("type"));
  if (type && *type != "function")
    return fields.find("type")->wrong(fmt::format("calls of the type '{}' are not supported", *type),
                                      ErrorCode::kUnsupported);
  CISTERN_TRY(const Field function_field, fields.require("function"));
  CISTERN_TRY(const Fields function, Fields::of(function_field));
  CISTERN_TRY(const Field name_field, function.require("name"));
  CISTERN_TRY(const std::string name, tool_name(name_field));
  json::object arguments;
  if (const auto given = function.find("arguments")) {
    CISTERN_TRY(arguments, call_arguments(*given));
  }
  json::object call = {{"type", "function"},
                       {"function", {{"name", name}, {"arguments", std::move(arguments)}}}};
  if (id) call["id"] = *id;
  return call;
}

Result<json::array> read_calls(const Field& field) {
  CISTERN_TRY(const json::array* array, field.array(kMostTools));
  json::array calls;
  for (std::size_t i = 0; i < array->size(); ++i) {
    CISTERN_TRY(json::object call, read_call(field[i]));
    calls.emplace_back(std::move(call));
  }
  return calls;
}

// What only the assistant says: its reasoning, under either name that is in use, and its calls.
Result<void> read_assistant_fields(const Fields& fields, json::object& message) {
  for (const std::string_view name : {"reasoning_content", "reasoning"}) {
    CISTERN_TRY(const auto reasoning, fields.text(name));
    if (reasoning && !message.contains("reasoning_content")) message["reasoning_content"] = *reasoning;
  }
  if (const auto calls = fields.find("tool_calls")) {
    CISTERN_TRY(json::array read, read_calls(*calls));
    if (!read.empty()) message["tool_calls"] = std::move(read);
  }
  return {};
}

Result<json::object> read_message(const Field& field) {
  CISTERN_TRY(const Fields fields, Fields::of(field));
  CISTERN_TRY(const Field role_field, fields.require("role"));
  CISTERN_TRY(const std::size_t role_index, role_field.one_of(kRoleNames));
  const std::string_view role = kRoles[role_index].template_name;
  json::object message = {{"role", role}};
  const auto content = fields.find("content");
  if (content) {
    CISTERN_TRY(message["content"], text_content(*content, kTextParts));
  } else {
    message["content"] = nullptr;
  }
  if (role == "assistant") {
    CISTERN_TRY_VOID(read_assistant_fields(fields, message));
    if (!content && !message.contains("tool_calls") && !message.contains("reasoning_content"))
      message["content"] = "";
  } else if (!content) {
    return fail(ErrorCode::kUsage, "is missing", fields.path_of("content"));
  }
  for (const std::string_view name : {"name", "tool_call_id"}) {
    CISTERN_TRY(const auto text, fields.text(name));
    if (text) message[name] = *text;
  }
  return message;
}

Result<void> read_messages(const Fields& fields, Conversation& conversation) {
  CISTERN_TRY(const Field field, fields.require("messages"));
  CISTERN_TRY(const json::array* messages, field.array(std::numeric_limits<std::size_t>::max()));
  if (messages->empty()) return field.wrong("has to have at least one message");
  for (std::size_t i = 0; i < messages->size(); ++i) {
    CISTERN_TRY(json::object message, read_message(field[i]));
    conversation.messages.emplace_back(std::move(message));
  }
  CISTERN_TRY(const auto continues, fields.boolean("continue_final_message"));
  conversation.continue_last = continues.value_or(false);
  if (conversation.continue_last && conversation.messages.back().at("role") != "assistant")
    return fields.find("continue_final_message")->wrong("the last message is not the assistant's");
  return {};
}

Result<void> read_reasoning(const Fields& fields, Conversation& conversation) {
  CISTERN_TRY_VOID(read_reasoning_effort(fields.find("reasoning_effort"), conversation));
  if (const auto arguments = fields.find("chat_template_kwargs")) {
    CISTERN_TRY(const json::object* object, arguments->object());
    conversation.template_arguments = *object;
    CISTERN_TRY(const Fields inner, Fields::of(*arguments));
    CISTERN_TRY(const auto thinking, inner.boolean("enable_thinking"));
    if (thinking) conversation.reasoning = *thinking;
  }
  CISTERN_TRY(const auto thinking, fields.boolean("enable_thinking"));
  if (thinking) conversation.reasoning = *thinking;
  return {};
}

Result<void> read_logprobs(const Fields& fields, GenerationTask& task) {
  CISTERN_TRY(const auto wanted, fields.boolean("logprobs"));
  CISTERN_TRY(const auto top, fields.integer("top_logprobs", 0, kMostTopLogprobs));
  task.top_logprobs = static_cast<std::uint32_t>(top.value_or(0));
  task.logprobs = wanted.value_or(task.top_logprobs > 0);
  return {};
}

Result<void> read_modalities(const Fields& fields) {
  const auto field = fields.find("modalities");
  if (!field) return {};
  CISTERN_TRY(const json::array* array, field->array(kMostStops));
  for (std::size_t i = 0; i < array->size(); ++i) {
    CISTERN_TRY(const std::string kind, (*field)[i].text());
    if (kind != "text") return (*field)[i].wrong("answers are text", ErrorCode::kUnsupported);
  }
  return {};
}

}  // namespace

Result<ChatRequest> read_chat_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields fields, Fields::of(document));
  CISTERN_TRY_VOID(refuse(fields, kRefused));
  CISTERN_TRY_VOID(read_modalities(fields));
  ChatRequest request;
  CISTERN_TRY_VOID(read_common(fields, request.task));
  Conversation conversation;
  CISTERN_TRY_VOID(read_messages(fields, conversation));
  CISTERN_TRY_VOID(read_tools(fields, ToolShape::kNested, conversation));
  CISTERN_TRY_VOID(read_reasoning(fields, conversation));
  request.task.prompt = std::move(conversation);
  CISTERN_TRY(request.task.format, read_response_format(fields));
  constexpr std::array<std::string_view, 2> kLimits = {"max_completion_tokens", "max_tokens"};
  CISTERN_TRY(request.task.max_tokens, read_max_tokens(fields, kLimits));
  CISTERN_TRY_VOID(read_logprobs(fields, request.task));
  CISTERN_TRY(request.stream, read_stream_options(fields));
  return request;
}

}  // namespace cistern::serve::openai
