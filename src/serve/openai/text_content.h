// The content of a message: a string or an array of parts. Shared by the readers of chat completions and
// responses, which name their parts differently. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "serve/json_fields.h"

namespace cistern::serve::openai {

// Types of parts that are text, and the field that has it.
using TextPart = std::pair<std::string_view, std::string_view>;

// Parts one below the other. Images, sound and files are kUnsupported, with the part's path.
Result<std::string> text_content(const Field& field, std::span<const TextPart> text_parts);

}  // namespace cistern::serve::openai
