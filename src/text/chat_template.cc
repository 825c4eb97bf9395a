#include "text/chat_template.h"

#include <string_view>
#include <vector>

#include "text/jinja/from_json.h"

namespace cistern::text {

using jinja::Dict;
using jinja::Value;

Result<std::string> render_chat(const jinja::Template& chat_template, const ChatInput& input) {
  std::vector<Dict::Entry> variables;
  const auto add = [&](std::string_view name, Value value) {
    variables.emplace_back(jinja::constant_string(std::string(name)), std::move(value));
  };
  CISTERN_TRY(Value messages, jinja::from_json(input.messages, "messages"));
  add("messages", std::move(messages));
  if (input.tools) {
    CISTERN_TRY(Value tools, jinja::from_json(*input.tools, "tools"));
    add("tools", std::move(tools));
  }
  if (input.documents) {
    CISTERN_TRY(Value documents, jinja::from_json(*input.documents, "documents"));
    add("documents", std::move(documents));
  }
  add("add_generation_prompt", input.add_generation_prompt);
  for (const auto& [name, token] :
       {std::pair("bos_token", &input.bos_token), std::pair("eos_token", &input.eos_token)}) {
    if (!*token) continue;
    CISTERN_TRY(Value text, jinja::from_json(boost::json::string(**token), name));
    add(name, std::move(text));
  }
  CISTERN_TRY(std::vector<Dict::Entry> extra, jinja::entries_from_json(input.extra, "extra"));
  variables.insert(variables.end(), extra.begin(), extra.end());
  return chat_template.render(jinja::constant_dict(std::move(variables)), {input.now});
}

Result<std::string> render_context(const jinja::Template& chat_template, const boost::json::object& context,
                                   std::optional<jinja::LocalTime> now) {
  CISTERN_TRY(std::vector<Dict::Entry> variables, jinja::entries_from_json(context, "context"));
  return chat_template.render(jinja::constant_dict(std::move(variables)), {now});
}

}  // namespace cistern::text
