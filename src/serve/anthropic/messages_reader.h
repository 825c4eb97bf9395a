// Anthropic's "system" and "messages" as the messages that chat templates take (serve/task.h): uses of tools
// become tool_calls, their results messages of role "tool" in their order, thinking reasoning_content.
// Messages of one role that follow each other become one, as Anthropic has it. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <cstddef>

#include "base/error.h"
#include "serve/json_fields.h"

namespace cistern::serve::anthropic {

inline constexpr std::size_t kMostMessages = 100'000;  // also of the blocks of one message

struct Messages {
  boost::json::array messages;
  bool continue_last = false;  // the client wrote the beginning of the answer
};

Result<Messages> read_messages(const Fields& request);

}  // namespace cistern::serve::anthropic
