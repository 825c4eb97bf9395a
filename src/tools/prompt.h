// From what a user wrote to the token ids that the model reads: the chat template around messages, or plain
// text as it is, with the model's own BOS (never twice). Shared by run and chat.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace cistern::tools {

struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// The model's template, or the one in `file` unless that is empty. Errors: kNotFound when there is none.
Result<text::jinja::Template> load_template(const engine::OpenModel& model, const std::string& file);

// How the vocabulary writes a special token; nothing where there is none.
std::optional<std::string> token_text(const text::Tokenizer& tokenizer, std::optional<text::TokenId> id);

// Messages through the template, ready for the model's answer. kTemplate: the template refuses them.
Result<std::vector<text::TokenId>> chat_prompt(const engine::OpenModel& model,
                                               const text::jinja::Template& chat,
                                               const std::vector<Message>& messages);

// Plain text to be continued. Special tokens written in it are read as such.
Result<std::vector<text::TokenId>> raw_prompt(const engine::OpenModel& model, std::string_view text);

}  // namespace cistern::tools
