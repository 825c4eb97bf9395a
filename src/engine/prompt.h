// From text to the token ids that a model reads: the variables of its chat template, and text as it is with
// the model's own BOS, never twice. Shared by all front-ends, so that a prompt is the same ids in a terminal
// and over HTTP. Special tokens written in a text are read as such, in what a user wrote too: templates mark
// turns in the text itself, and cutting it apart would change how it tokenizes. Pure; thread-safe.
#pragma once

#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "text/chat_template.h"

namespace cistern::engine {

// How the vocabulary writes a special token; nothing where there is none.
std::optional<std::string> token_text(const text::Tokenizer& tokenizer, std::optional<text::TokenId> id);

// What a template gets that is given only messages: no tools and no documents, as transformers passes them,
// and the model's own BOS and EOS.
text::ChatInput chat_input(const OpenModel& model, boost::json::array messages);

// A rendered conversation, or plain text to be continued.
Result<std::vector<text::TokenId>> encode_prompt(const OpenModel& model, std::string_view text);

// The same with ids that are there already.
std::vector<text::TokenId> with_bos(const text::Vocab& vocab, std::vector<text::TokenId> ids);

}  // namespace cistern::engine
