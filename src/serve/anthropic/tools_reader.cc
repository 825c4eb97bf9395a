#include "serve/anthropic/tools_reader.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

struct Choice {
  std::string_view name;
  ToolChoice choice;
};
constexpr std::array kChoices = {
    Choice{"auto", ToolChoice::kAuto},
    Choice{"any", ToolChoice::kRequired},
    Choice{"tool", ToolChoice::kNamed},
    Choice{"none", ToolChoice::kNone},
};
constexpr std::array<std::string_view, 4> kChoiceNames = {kChoices[0].name, kChoices[1].name,
                                                          kChoices[2].name, kChoices[3].name};

// In the form of OpenAI's tools.
Result<json::object> read_tool(const Field& field) {
  CISTERN_TRY(const Fields tool, Fields::of(field));
  CISTERN_TRY(const std::optional<std::string> type, tool.text("type"));
  if (type && *type != "custom")
    return field.wrong(
        fmt::format("tools of type \"{}\" are not supported: give a name, a description and an "
                    "input_schema",
                    *type),
        ErrorCode::kUnsupported);
  CISTERN_TRY(const Field name_field, tool.require("name"));
  CISTERN_TRY(const std::string name, name_field.text());
  if (name.empty()) return name_field.wrong("must not be empty");
  CISTERN_TRY(const std::optional<std::string> description, tool.text("description"));
  CISTERN_TRY(const std::optional<bool> strict, tool.boolean("strict"));
  CISTERN_TRY(const Field schema_field, tool.require("input_schema"));
  CISTERN_TRY(const json::object* schema, schema_field.object());
  json::object function = {{"name", name}};
  if (description) function["description"] = *description;
  function["parameters"] = *schema;
  if (strict) function["strict"] = *strict;
  return json::object{{"type", "function"}, {"function", std::move(function)}};
}

Result<void> read_choice(const Field& field, const std::set<std::string>& names, Conversation& into) {
  CISTERN_TRY(const Fields choice, Fields::of(field));
  CISTERN_TRY(const Field type, choice.require("type"));
  CISTERN_TRY(const std::size_t index, type.one_of(kChoiceNames));
  into.tool_choice = kChoices.at(index).choice;
  CISTERN_TRY(const std::optional<bool> one_at_most, choice.boolean("disable_parallel_tool_use"));
  into.parallel_tool_calls = !one_at_most.value_or(false);
  if (into.tool_choice == ToolChoice::kRequired && names.empty())
    return field.wrong("wants a tool to be used, but there are no tools");
  if (into.tool_choice != ToolChoice::kNamed) return {};
  CISTERN_TRY(const Field name, choice.require("name"));
  CISTERN_TRY(into.tool_name, name.text());
  if (!names.contains(into.tool_name)) return name.wrong("is the name of no tool of this request");
  return {};
}

}  // namespace

Result<void> read_tools(const Fields& request, Conversation& into) {
  std::set<std::string> names;
  if (const auto field = request.find("tools")) {
    CISTERN_TRY(const json::array* tools, field->array(kMostTools));
    for (std::size_t i = 0; i < tools->size(); ++i) {
      CISTERN_TRY(json::object tool, read_tool((*field)[i]));
      const json::string& name = tool.at("function").at("name").get_string();
      if (!names.emplace(name).second)
        return (*field)[i].wrong(fmt::format("a second tool \"{}\"", std::string_view(name)));
      into.tools.push_back(std::move(tool));
    }
  }
  if (const auto choice = request.find("tool_choice")) return read_choice(*choice, names, into);
  return {};
}

}  // namespace cistern::serve::anthropic
