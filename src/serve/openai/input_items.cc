#include "serve/openai/input_items.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "serve/openai/text_content.h"
#include "serve/openai/tool_fields.h"

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

constexpr std::array<TextPart, 4> kTextParts = {
    TextPart{"input_text", "text"}, {"output_text", "text"}, {"text", "text"}, {"refusal", "refusal"}};
constexpr std::array<TextPart, 3> kReasoningParts = {
    TextPart{"reasoning_text", "text"}, {"summary_text", "text"}, {"text", "text"}};

// The assistant's message at the end that items may still join: one that has reasoning or calls. Otherwise a
// new one.
json::object& open_turn(json::array& messages) {
  if (!messages.empty() && messages.back().at("role") == "assistant") return messages.back().as_object();
  messages.push_back({{"role", "assistant"}, {"content", nullptr}});
  return messages.back().as_object();
}

Result<void> read_message(const Fields& fields, json::array& messages) {
  constexpr std::array<std::string_view, 4> kRoles = {"user", "assistant", "system", "developer"};
  CISTERN_TRY(const Field role_field, fields.require("role"));
  CISTERN_TRY(const std::size_t role, role_field.one_of(kRoles));
  CISTERN_TRY(const Field content, fields.require("content"));
  CISTERN_TRY(const std::string text, text_content(content, kTextParts));
  if (kRoles[role] == "assistant") {
    json::object& turn = open_turn(messages);
    if (!turn["content"].is_null() || turn.contains("tool_calls")) {
      messages.push_back({{"role", "assistant"}, {"content", text}});
    } else {
      turn["content"] = text;
    }
    return {};
  }
  messages.push_back({{"role", role == 3 ? kRoles[2] : kRoles[role]}, {"content", text}});
  return {};
}

Result<void> read_call(const Fields& fields, json::array& messages) {
  CISTERN_TRY(const Field name_field, fields.require("name"));
  CISTERN_TRY(const std::string name, tool_name(name_field));
  CISTERN_TRY(const Field id, fields.require("call_id"));
  CISTERN_TRY(const std::string call_id, id.text());
  CISTERN_TRY(const Field arguments_field, fields.require("arguments"));
  CISTERN_TRY(json::object arguments, call_arguments(arguments_field));
  json::object& turn = open_turn(messages);
  if (!turn.contains("tool_calls")) turn["tool_calls"] = json::array();
  turn["tool_calls"].as_array().push_back(
      {{"id", call_id},
       {"type", "function"},
       {"function", {{"name", name}, {"arguments", std::move(arguments)}}}});
  return {};
}

Result<void> read_call_output(const Fields& fields, json::array& messages) {
  CISTERN_TRY(const Field id, fields.require("call_id"));
  CISTERN_TRY(const std::string call_id, id.text());
  CISTERN_TRY(const Field output, fields.require("output"));
  CISTERN_TRY(const std::string text, text_content(output, kTextParts));
  messages.push_back({{"role", "tool"}, {"tool_call_id", call_id}, {"content", text}});
  return {};
}

// Of its content and its summary the first that has text; what is encrypted is not ours.
Result<void> read_reasoning(const Fields& fields, json::array& messages) {
  for (const std::string_view name : {"content", "summary"}) {
    const auto field = fields.find(name);
    if (!field) continue;
    CISTERN_TRY(const std::string text, text_content(*field, kReasoningParts));
    if (text.empty()) continue;
    messages.push_back({{"role", "assistant"}, {"content", nullptr}, {"reasoning_content", text}});
    break;
  }
  return {};
}

struct Item {
  std::string_view type;
  Result<void> (*read)(const Fields&, json::array&);
};
constexpr std::array kItems = {
    Item{"message", read_message},
    Item{"function_call", read_call},
    Item{"function_call_output", read_call_output},
    Item{"reasoning", read_reasoning},
};

Result<void> read_item(const Field& field, json::array& messages) {
  CISTERN_TRY(const Fields fields, Fields::of(field));
  CISTERN_TRY(const auto given, fields.text("type"));
  const std::string type = given.value_or("message");
  for (const Item& item : kItems)
    if (item.type == type) return item.read(fields, messages);
  return field.wrong(fmt::format("items of the type '{}' are not supported", type), ErrorCode::kUnsupported);
}

}  // namespace

Result<void> read_input(const Field& input, json::array& messages) {
  if (input.is_text()) {
    messages.push_back({{"role", "user"}, {"content", input.value()}});
    return {};
  }
  if (!input.is_array()) return input.wrong_type("a string or an array of items");
  CISTERN_TRY(const json::array* items, input.array(std::numeric_limits<std::size_t>::max()));
  if (items->empty()) return input.wrong("has to have at least one item");
  for (std::size_t i = 0; i < items->size(); ++i) {
    CISTERN_TRY_VOID(read_item(input[i], messages));
  }
  if (messages.empty()) return input.wrong("has nothing that could be answered");
  // A turn that was nothing but reasoning has an empty answer.
  for (json::value& message : messages) {
    json::object& turn = message.as_object();
    if (turn["content"].is_null() && !turn.contains("tool_calls")) turn["content"] = "";
  }
  return {};
}

}  // namespace cistern::serve::openai
