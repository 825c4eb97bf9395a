// From the messages of a terminal to the token ids that the model reads, through the model's template or one
// of the user's (engine/prompt.h does the rest). Shared by run and chat.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"

namespace cistern::tools {

struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// The model's template, or the one in `file` unless that is empty. Errors: kNotFound when there is none.
Result<text::jinja::Template> load_template(const engine::OpenModel& model, const std::string& file);

// Messages through the template, ready for the model's answer. kTemplate: the template refuses them.
Result<std::vector<text::TokenId>> chat_prompt(const engine::OpenModel& model,
                                               const text::jinja::Template& chat,
                                               const std::vector<Message>& messages);

}  // namespace cistern::tools
