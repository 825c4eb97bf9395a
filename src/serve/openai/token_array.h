// Text as clients may send it where a prompt or an input is meant: a string, an array of strings, an array of
// tokens, an array of arrays of tokens. Used by the readers of completions and embeddings. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "serve/json_fields.h"
#include "serve/task.h"

namespace cistern::serve::openai {

using TextOrTokens = std::variant<std::string, RawTokens>;

// At least one, at most `most`. Whether the tokens exist, the backend checks.
Result<std::vector<TextOrTokens>> read_texts(const Field& field, std::size_t most);

}  // namespace cistern::serve::openai
