#include "text/template_probe.h"

#include <optional>

#include "text/answer/format.h"
#include "text/chat_template.h"

namespace cistern::text {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// Texts that no template has by itself.
constexpr std::string_view kQuestion = "probe-question", kSystem = "probe-system", kTool = "probe_tool",
                           kValue = "probe-value", kOtherValue = "probe-other", kResult = "probe-result",
                           kThought = "probe-thought";

struct Asked {
  array messages;
  bool tools = false;
  object extra;
};

class Probe {
 public:
  Probe(const jinja::Template& chat_template, std::string_view source)
      : template_(chat_template), source_(source) {}

  TemplateTraits run();

 private:
  std::optional<std::string> render(const Asked& asked) const;
  bool shows(const Asked& asked, std::string_view text) const {
    const auto rendered = render(asked);
    return rendered && rendered->contains(text);
  }
  value content(std::string_view text) const;
  value arguments(std::string_view of_key) const;
  object message(std::string_view role, std::string_view text) const {
    return {{"role", role}, {"content", content(text)}};
  }
  Asked with_calls(const value& arguments) const;
  bool find_arguments();
  void probe_calls();
  void probe_reasoning();
  bool changes(std::string_view variable, const value& one, const value& other) const;

  const jinja::Template& template_;
  std::string_view source_;
  TemplateTraits traits_;
};

std::optional<std::string> Probe::render(const Asked& asked) const {
  ChatInput input;
  input.messages = asked.messages;
  if (!traits_.absent_is_undefined) input.tools = input.documents = value(nullptr);
  if (asked.tools) {
    input.tools = array{{{"type", "function"},
                         {"function",
                          {{"name", kTool},
                           {"description", "probe"},
                           {"parameters",
                            {{"type", "object"},
                             {"properties", {{"key", {{"type", "string"}, {"description", "probe"}}}}},
                             {"required", {"key"}}}}}}}};
  }
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  input.extra = asked.extra;
  input.now = jinja::LocalTime{};
  auto rendered = render_chat(template_, input);
  if (!rendered) return std::nullopt;
  return *std::move(rendered);
}

value Probe::content(std::string_view text) const {
  if (!traits_.content_as_parts) return value(text);
  return array{object{{"type", "text"}, {"text", text}}};
}

value Probe::arguments(std::string_view of_key) const {
  if (traits_.arguments_as_text) return value("{\"key\": \"" + std::string(of_key) + "\"}");
  return object{{"key", of_key}};
}

object call(std::string_view id, const value& arguments) {
  return {{"id", id}, {"type", "function"}, {"function", {{"name", kTool}, {"arguments", arguments}}}};
}

object result_of(std::string_view id, const value& content) {
  return {{"role", "tool"}, {"tool_call_id", id}, {"name", kTool}, {"content", content}};
}

// A question, a call and its result; the answer is to come.
Asked Probe::with_calls(const value& arguments) const {
  object assistant = message("assistant", "");
  if (traits_.no_content_with_calls) assistant["content"] = nullptr;
  assistant["tool_calls"] = array{call("call00001", arguments)};
  return {.messages = {message("user", kQuestion), assistant, result_of("call00001", content(kResult))},
          .tools = true,
          .extra = {}};
}

bool Probe::find_arguments() {
  // Where a template prints an object as Python does, it was made for text.
  const auto by_object = render(with_calls(arguments(kValue)));
  if (by_object && by_object->contains(kValue) && !by_object->contains("{'key'")) return true;
  traits_.arguments_as_text = true;
  if (shows(with_calls(arguments(kValue)), arguments(kValue).get_string())) return true;
  traits_.arguments_as_text = false;
  return false;
}

void Probe::probe_calls() {
  traits_.knows_calls = find_arguments();
  if (!traits_.knows_calls) {
    traits_.no_content_with_calls = true;
    traits_.knows_calls = traits_.no_content_with_calls = find_arguments();
  }
  if (!traits_.knows_calls) return;
  const Asked asked = with_calls(arguments(kValue));
  traits_.knows_results = shows(asked, kResult);

  Asked two = asked;
  two.messages[1].get_object()["tool_calls"].get_array().push_back(call("call00002", arguments(kOtherValue)));
  two.messages.push_back(result_of("call00002", content(kResult)));
  const auto several = render(two);
  traits_.knows_several_calls = several && several->contains(kValue) && several->contains(kOtherValue);

  for (const std::string_view field : {"reasoning_content", "reasoning", "thinking"}) {
    Asked thought = asked;
    thought.messages[1].get_object()[field] = kThought;
    if (traits_.reasoning_field.empty() && shows(thought, kThought)) traits_.reasoning_field = field;
  }

  Asked bare = asked;
  bare.messages[1].get_object()["content"] = nullptr;
  const auto with_text = render(asked), without = render(bare);
  traits_.content_with_calls =
      !without || !without->contains(kValue) || (without->contains("None") && !with_text->contains("None"));
}

bool Probe::changes(std::string_view variable, const value& one, const value& other) const {
  const auto with = [&](const value& set) {
    return render({.messages = {message("user", kQuestion)}, .tools = false, .extra = {{variable, set}}});
  };
  const auto first = with(one), second = with(other);
  return first && second && *first != *second;
}

void Probe::probe_reasoning() {
  const Format& format = detect_format(source_);
  for (const Program& program : format.programs) {
    if (program.gives != Program::Gives::kReasoning) continue;
    traits_.thinks = traits_.thinks || source_.contains(program.until);
  }
  const auto prompt = render({.messages = {message("user", kQuestion)}, .tools = false, .extra = {}});
  traits_.opens_thinking = prompt && ends_in_reasoning(format, *prompt);
  traits_.thinks = traits_.thinks || traits_.opens_thinking;
  for (const std::string_view variable : {"enable_thinking", "thinking"}) {
    if (traits_.thinking_switch.empty() && changes(variable, true, false)) traits_.thinking_switch = variable;
  }
  traits_.knows_effort = changes("reasoning_effort", "low", "high");
}

TemplateTraits Probe::run() {
  const auto question = [&] {
    return shows({.messages = {message("user", kQuestion)}, .tools = false, .extra = {}}, kQuestion);
  };
  for (const bool undefined : {false, true}) {
    for (const bool parts : {false, true}) {
      if (traits_.renders) break;
      traits_.absent_is_undefined = undefined;
      traits_.content_as_parts = parts;
      traits_.renders = question();
    }
  }
  if (!traits_.renders) return {};
  traits_.knows_system = shows(
      {.messages = {message("system", kSystem), message("user", kQuestion)}, .tools = false, .extra = {}},
      kSystem);
  traits_.knows_tools = shows({.messages = {message("user", kQuestion)}, .tools = true, .extra = {}}, kTool);
  probe_calls();
  probe_reasoning();
  return traits_;
}

}  // namespace

TemplateTraits probe_template(const jinja::Template& chat_template, std::string_view source) {
  return Probe(chat_template, source).run();
}

}  // namespace cistern::text
