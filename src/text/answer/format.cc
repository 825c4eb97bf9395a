#include "text/answer/format.h"

#include <algorithm>

namespace cistern::text {
namespace {

// What a template has when its model writes a format: the most specific first.
struct Sign {
  std::string_view format;
  std::string_view mark, other_mark;
};
constexpr Sign kSigns[] = {
    {"deepseek-v3.2", "｜DSML｜", "'function_calls>"},
    {"deepseek-v4", "｜DSML｜", ""},
    {"minimax-m2", "<minimax:tool_call>", ""},
    {"seed-oss", "<seed:tool_call>", ""},
    {"harmony", "<|channel|>", "<|message|>"},
    {"kimi-k2", "<|tool_calls_section_begin|>", ""},
    {"command-r7b", "<|START_ACTION|>", ""},
    {"apertus", "<|tools_prefix|>", ""},
    {"nemotron-v2", "<TOOLCALL>", ""},
    {"glm-4.5", "<arg_key>", ""},
    {"deepseek-v3", "<｜tool▁calls▁begin｜>", "```json"},
    {"deepseek-v3.1", "<｜tool▁calls▁begin｜>", ""},
    {"mistral-v11-callid", "[TOOL_CALLS]", "[CALL_ID]"},
    {"mistral-v11", "[TOOL_CALLS]", "[ARGS]"},
    {"mistral-v3", "[TOOL_CALLS]", ""},
    {"qwen3-coder", "<tool_call>", "<function="},
    {"tool-calls", "<tool_calls>", ""},
    {"functionary-v3.1", "<function=", ""},
    {"functionary-v3.2", ">>>all", ""},
    {"functionary-v3.2", ">>>${recipient}", ""},
    {"functools", "functools", ""},
    {"hermes", "<tool_call>", ""},
    {"granite-3", "<|tool_call|>", ""},
    {"llama3-json", "<|python_tag|>", ""},
    {"llama3-json", "<|start_header_id|>", "ipython"},
    {"generic", "", ""},
};

void add_marks(std::span<const Step> steps, std::vector<std::string_view>& marks) {
  for (const Step& step : steps) {
    if (step.kind == Step::Kind::kText || step.kind == Step::Kind::kMaybe) marks.push_back(step.text);
  }
}

}  // namespace

const Format* format_named(std::string_view name) {
  const auto found = std::ranges::find(all_formats(), name, &Format::name);
  return found == all_formats().end() ? nullptr : &*found;
}

const Format& detect_format(std::string_view source) {
  const auto* found = std::ranges::find_if(kSigns, [&](const Sign& sign) {
    return source.contains(sign.mark) && source.contains(sign.other_mark);
  });
  return *format_named(found->format);
}

bool ends_in_reasoning(const Format& format, std::string_view prompt) {
  prompt = prompt.substr(0, prompt.find_last_not_of(" \t\r\n") + 1);
  return std::ranges::any_of(format.programs, [&](const Program& program) {
    return program.gives == Program::Gives::kReasoning && program.at_start &&
           prompt.ends_with(program.steps.front().text);
  });
}

std::vector<std::string_view> marks_of(const Format& format) {
  std::vector<std::string_view> marks;
  for (const Program& program : format.programs) {
    add_marks(program.steps, marks);
    if (!program.until.empty()) marks.push_back(program.until);
  }
  add_marks(format.next, marks);
  add_marks(format.call_end, marks);
  add_marks(format.section_end, marks);
  const ParameterMarks& p = format.parameter;
  for (const std::string_view mark : {p.open, p.key_end, p.value_begin, p.close}) marks.push_back(mark);
  std::erase(marks, "");
  std::ranges::sort(marks);
  marks.erase(std::ranges::unique(marks).begin(), marks.end());
  return marks;
}

}  // namespace cistern::text
