// Tools and which of them may be called, of chat completions and responses: the two write the same things a
// little differently ("function": {…} or its fields beside "type"). Used by their readers. Pure.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "serve/json_fields.h"
#include "serve/task.h"

namespace cistern::serve::openai {

inline constexpr std::size_t kMostNameLength = 128;  // of a tool

enum class ToolShape {
  kNested,  // {"type": "function", "function": {"name": …}}
  kFlat,    // {"type": "function", "name": …}
};

// "tools", "tool_choice" and "parallel_tool_calls" into the conversation, tools in the nested shape. Tools
// that a provider would run itself are kUnsupported.
Result<void> read_tools(const Fields& fields, ToolShape shape, Conversation& conversation);

// The name of a tool: 1 to kMostNameLength characters.
Result<std::string> tool_name(const Field& field);

// The arguments of a call: JSON text of an object, or an object; empty text is an empty object.
Result<boost::json::object> call_arguments(const Field& field);

}  // namespace cistern::serve::openai
