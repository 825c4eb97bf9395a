// The items of a response's input as messages for a chat template: messages, calls of functions, what these
// gave, reasoning. Used by the reader of responses. Pure.
#pragma once

#include <boost/json/array.hpp>

#include "base/error.h"
#include "serve/json_fields.h"

namespace cistern::serve::openai {

// A string is one message of the user. Reasoning and calls that follow each other become one message of the
// assistant, as chat templates expect it. Items of tools that a provider runs are kUnsupported.
Result<void> read_input(const Field& input, boost::json::array& messages);

}  // namespace cistern::serve::openai
