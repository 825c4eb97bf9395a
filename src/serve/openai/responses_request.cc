#include "serve/openai/responses_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "serve/json_fields.h"
#include "serve/openai/common_fields.h"
#include "serve/openai/input_items.h"
#include "serve/openai/tool_fields.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

constexpr std::string_view kNothingKept =
    "is not supported: this server keeps no responses, send the whole input";
constexpr std::array kRefused = {
    Refused{"previous_response_id", kNothingKept},
    Refused{"conversation", kNothingKept},
    Refused{"prompt", "is not supported: this server keeps no prompts"},
};

// Fields that the response repeats, and what it says where they are absent.
json::object echo_of(const json::object& request) {
  json::object echo = {{"instructions", nullptr},
                       {"max_output_tokens", nullptr},
                       {"max_tool_calls", nullptr},
                       {"metadata", json::object()},
                       {"parallel_tool_calls", true},
                       {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
                       {"temperature", nullptr},
                       {"text", {{"format", {{"type", "text"}}}}},
                       {"tool_choice", "auto"},
                       {"tools", json::array()},
                       {"top_logprobs", 0},
                       {"top_p", nullptr},
                       {"user", nullptr}};
  for (auto& [name, value] : echo) {
    const json::value* given = request.if_contains(name);
    if (given != nullptr && !given->is_null()) value = *given;
  }
  return echo;
}

// "text": {"format": {"type", "name", "schema"}}
Result<Format> read_text_format(const Fields& fields) {
  const auto text = fields.find("text");
  if (!text) return Format{};
  CISTERN_TRY(const Fields text_fields, Fields::of(*text));
  const auto format = text_fields.find("format");
  if (!format) return Format{};
  constexpr std::array<std::string_view, 3> kTypes = {"text", "json_object", "json_schema"};
  CISTERN_TRY(const Fields parts, Fields::of(*format));
  CISTERN_TRY(const Field type, parts.require("type"));
  CISTERN_TRY(const std::size_t kind, type.one_of(kTypes));
  if (kind == 1) return Format{.json_object = true};
  if (kind == 2) return read_json_schema(parts);
  return Format{};
}

Result<void> read_reasoning(const Fields& fields, Conversation& conversation) {
  const auto reasoning = fields.find("reasoning");
  if (!reasoning) return {};
  CISTERN_TRY(const Fields parts, Fields::of(*reasoning));
  return read_reasoning_effort(parts.find("effort"), conversation);
}

// Instructions and the system's messages at the beginning as one: many templates take no second one.
void join_instructions(json::array& messages) {
  json::string& first = messages.front().at("content").as_string();
  while (messages.size() > 1 && messages[1].at("role") == "system") {
    first.append("\n\n");
    first.append(messages[1].at("content").as_string());
    messages.erase(messages.begin() + 1);
  }
}

Result<void> read_messages(const Fields& fields, Conversation& conversation) {
  CISTERN_TRY(const auto instructions, fields.text("instructions"));
  if (instructions) conversation.messages.push_back({{"role", "system"}, {"content", *instructions}});
  CISTERN_TRY(const Field input, fields.require("input"));
  CISTERN_TRY_VOID(read_input(input, conversation.messages));
  if (conversation.messages.front().at("role") == "system") join_instructions(conversation.messages);
  return {};
}

// "include": ["message.output_text.logprobs"]
Result<bool> wants_logprobs(const Fields& fields) {
  const auto include = fields.find("include");
  if (!include) return false;
  CISTERN_TRY(const json::array* array, include->array(kMostStops));
  bool wanted = false;
  for (std::size_t i = 0; i < array->size(); ++i) {
    CISTERN_TRY(const std::string name, (*include)[i].text());
    wanted |= name == "message.output_text.logprobs";
  }
  return wanted;
}

Result<void> refuse_background(const Fields& fields) {
  CISTERN_TRY(const auto background, fields.boolean("background"));
  if (background.value_or(false))
    return fields.find("background")->wrong(std::string(kNothingKept), ErrorCode::kUnsupported);
  return {};
}

}  // namespace

Result<ResponsesRequest> read_responses_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields fields, Fields::of(document));
  CISTERN_TRY_VOID(refuse(fields, kRefused));
  CISTERN_TRY_VOID(refuse_background(fields));
  ResponsesRequest request;
  CISTERN_TRY_VOID(read_common(fields, request.task));
  if (request.task.choices != 1) return fields.find("n")->wrong("a response has one answer");
  Conversation conversation;
  CISTERN_TRY_VOID(read_messages(fields, conversation));
  CISTERN_TRY_VOID(read_tools(fields, ToolShape::kFlat, conversation));
  CISTERN_TRY_VOID(read_reasoning(fields, conversation));
  request.task.prompt = std::move(conversation);
  CISTERN_TRY(request.task.format, read_text_format(fields));
  constexpr std::array<std::string_view, 1> kLimits = {"max_output_tokens"};
  CISTERN_TRY(request.task.max_tokens, read_max_tokens(fields, kLimits));
  CISTERN_TRY(const auto top, fields.integer("top_logprobs", 0, kMostTopLogprobs));
  CISTERN_TRY(const bool logprobs, wants_logprobs(fields));
  request.task.top_logprobs = static_cast<std::uint32_t>(top.value_or(0));
  request.task.logprobs = logprobs || request.task.top_logprobs > 0;
  CISTERN_TRY(const auto stream, fields.boolean("stream"));
  request.stream = stream.value_or(false);
  request.echo = echo_of(fields.object());
  return request;
}

}  // namespace cistern::serve::openai
