// A conversation as /save and /load keep it: JSON, {"model", "system", "messages": [{"role", "content"}]}.
// Loading accepts only what a chat can continue: user and assistant in turns. Plain value.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "tools/prompt.h"

namespace cistern::tools {

struct Conversation {
  std::string model;  // name of the model it was held with; for the reader, not checked
  std::string system;
  std::vector<Message> messages;  // user, assistant, user, ...

  // With the system message in front, as templates want it.
  std::vector<Message> all_messages() const;
};

Result<void> save_conversation(const Conversation& conversation, const std::string& path);
Result<Conversation> load_conversation(const std::string& path);

}  // namespace cistern::tools
