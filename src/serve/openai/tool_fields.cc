#include "serve/openai/tool_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace cistern::serve::openai {
namespace {

namespace json = boost::json;

Result<Fields> function_fields(const Field& field, ToolShape shape) {
  CISTERN_TRY(const Fields parts, Fields::of(field));
  CISTERN_TRY(const Field type, parts.require("type"));
  CISTERN_TRY(const std::string name, type.text());
  if (name != "function")
    return type.wrong(fmt::format("tools of the type '{}' are not supported, functions alone are", name),
                      ErrorCode::kUnsupported);
  if (shape == ToolShape::kFlat) return parts;
  CISTERN_TRY(const Field function, parts.require("function"));
  return Fields::of(function);
}

Result<json::object> read_tool(const Field& field, ToolShape shape) {
  CISTERN_TRY(const Fields parts, function_fields(field, shape));
  CISTERN_TRY(const Field name_field, parts.require("name"));
  CISTERN_TRY(const std::string name, tool_name(name_field));
  CISTERN_TRY(const auto description, parts.text("description"));
  CISTERN_TRY(const auto strict, parts.boolean("strict"));
  json::object function = {{"name", name}};
  if (description) function["description"] = *description;
  if (const auto parameters = parts.find("parameters")) {
    CISTERN_TRY(const json::object* schema, parameters->object());
    function["parameters"] = *schema;
  } else {
    function["parameters"] = {{"type", "object"}, {"properties", json::object()}};
  }
  if (strict) function["strict"] = *strict;
  return json::object{{"type", "function"}, {"function", std::move(function)}};
}

bool has_tool(const Conversation& conversation, std::string_view name) {
  return std::ranges::any_of(conversation.tools, [&](const json::value& tool) {
    return tool.at("function").at("name").as_string() == name;
  });
}

Result<void> read_tool_choice(const Field& field, ToolShape shape, Conversation& conversation) {
  if (field.is_text()) {
    constexpr std::array<std::string_view, 3> kNames = {"auto", "none", "required"};
    constexpr std::array kChoices = {ToolChoice::kAuto, ToolChoice::kNone, ToolChoice::kRequired};
    CISTERN_TRY(const std::size_t choice, field.one_of(kNames));
    conversation.tool_choice = kChoices[choice];
    if (conversation.tool_choice == ToolChoice::kRequired && conversation.tools.empty())
      return field.wrong("requires a call, but there are no tools");
    return {};
  }
  if (!field.is_object()) return field.wrong_type("a string or an object");
  CISTERN_TRY(const Fields parts, function_fields(field, shape));
  CISTERN_TRY(const Field name, parts.require("name"));
  CISTERN_TRY(conversation.tool_name, tool_name(name));
  if (!has_tool(conversation, conversation.tool_name)) return name.wrong("is none of the tools");
  conversation.tool_choice = ToolChoice::kNamed;
  return {};
}

}  // namespace

Result<std::string> tool_name(const Field& field) {
  return field.text_of_length(1, kMostNameLength);
}

Result<json::object> call_arguments(const Field& field) {
  if (field.is_object()) return field.value().get_object();
  CISTERN_TRY(const std::string text, field.text());
  if (text.empty()) return json::object();
  auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object()) return field.wrong("has to be the text of a JSON object");
  return std::move(parsed->get_object());
}

Result<void> read_tools(const Fields& fields, ToolShape shape, Conversation& conversation) {
  if (const auto field = fields.find("tools")) {
    CISTERN_TRY(const json::array* tools, field->array(kMostTools));
    for (std::size_t i = 0; i < tools->size(); ++i) {
      CISTERN_TRY(json::object tool, read_tool((*field)[i], shape));
      conversation.tools.emplace_back(std::move(tool));
    }
  }
  if (const auto field = fields.find("tool_choice")) {
    CISTERN_TRY_VOID(read_tool_choice(*field, shape, conversation));
  }
  CISTERN_TRY(const auto parallel, fields.boolean("parallel_tool_calls"));
  conversation.parallel_tool_calls = parallel.value_or(true);
  return {};
}

}  // namespace cistern::serve::openai
