#include <algorithm>
#include <memory>

#include "text/answer/answer_parser.h"
#include "tools/commands.h"
#include "tools/input.h"
#include "tools/json_lines.h"
#include "tools/json_out.h"

namespace cistern::tools {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMaxTemplateBytes = 1U << 20U;

Result<std::string> string_field(const json::object& request, std::string_view field) {
  const json::value* found = request.if_contains(field);
  if (found == nullptr || found->is_null()) return std::string();
  if (!found->is_string()) return fail(ErrorCode::kFormat, "expected a string", std::string(field));
  return std::string(found->get_string());
}

Result<const text::Format*> read_format(const json::object& request) {
  CISTERN_TRY(const std::string name, string_field(request, "format"));
  CISTERN_TRY(const std::string file, string_field(request, "template_file"));
  if (!name.empty()) {
    if (const text::Format* format = text::format_named(name)) return format;
    std::string known;
    for (const text::Format& format : text::all_formats()) known += " " + std::string(format.name);
    return fail(ErrorCode::kNotFound, "unknown format \"" + name + "\"; known:" + known, "format");
  }
  if (file.empty()) return text::format_named("generic");
  CISTERN_TRY(const std::string source, read_file(file, kMaxTemplateBytes));
  return &text::detect_format(source);
}

Result<json::object> answer_line(const json::object& request) {
  text::AnswerOptions options;
  CISTERN_TRY(options.format, read_format(request));
  if (const json::value* tools = request.if_contains("tools"); tools != nullptr && !tools->is_null()) {
    if (!tools->is_array()) return fail(ErrorCode::kFormat, "expected an array", "tools");
    options.tools = text::ToolSet(tools->get_array());
  }
  if (!request.contains("output")) return fail(ErrorCode::kFormat, "the request needs \"output\"", "line");
  CISTERN_TRY(const std::string output, string_field(request, "output"));
  const text::Answer answer = text::parse_answer(std::move(options), output);
  json::array calls;
  for (const text::AnsweredCall& call : answer.calls) {
    CISTERN_TRY(json::value arguments, parse_json(call.arguments, "arguments"));
    calls.push_back({{"name", call.name}, {"arguments", std::move(arguments)}, {"id", call.id}});
  }
  return json::object{
      {"content", answer.content}, {"reasoning_content", answer.reasoning}, {"tool_calls", std::move(calls)}};
}

}  // namespace

void add_parse(Cli& cli) {
  auto json_lines = std::make_shared<bool>(false);
  CLI::App& app = cli.add(
      {.name = "parse",
       .summary = "Read tool calls out of models' answers",
       .description =
           "Reads one JSON object per line and answers each with {\"content\", "
           "\"reasoning_content\", \"tool_calls\": [{\"name\", \"arguments\", \"id\"}]} or "
           "{\"error\"}. A line gives the \"output\" of a model, the \"tools\" that it was offered, "
           "and either the \"format\" by its name or the model's \"template_file\", which tells the "
           "format. What does not follow the format is content.",
       .examples =
           {{"echo '{\"format\": \"generic\", \"output\": \"<think>Easy.</think>It is 4.\"}' | cistern "
             "parse --jsonl",
             "reasoning apart from content"},
            {"cistern parse --jsonl < answers.jsonl", "many answers, one line each"}}},
      [] { return answer_json_lines(answer_line); });
  app.add_flag("--jsonl", *json_lines, "Requests and answers as JSON lines (the only form)")->required();
}

}  // namespace cistern::tools
