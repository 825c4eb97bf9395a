// Anthropic's "tools" and "tool_choice" as a Conversation has them. Tools that run on Anthropic's servers or
// that only its models know by name are refused. Pure.
#pragma once

#include "base/error.h"
#include "serve/json_fields.h"
#include "serve/task.h"

namespace cistern::serve::anthropic {

Result<void> read_tools(const Fields& request, Conversation& into);

}  // namespace cistern::serve::anthropic
