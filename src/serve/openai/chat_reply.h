// Writes answers of POST /v1/chat/completions: as one document, or as a stream of pieces that ends with
// "[DONE]". Made by the handler, called by the backend (answer.h), one call at a time; a sink lives as long
// as its task.
#pragma once

#include <memory>

#include "serve/answer.h"
#include "serve/openai/reply.h"

namespace cistern::serve::openai {

struct ChatReplyOptions {
  std::uint32_t choices = 1;
  bool logprobs = false;
  bool include_usage = false;  // of a stream
};

std::shared_ptr<AnswerSink> make_chat_document(ReplyTo to, const ChatReplyOptions& options);
std::shared_ptr<AnswerSink> make_chat_stream(ReplyTo to, const ChatReplyOptions& options);

// "stop", "length" or "tool_calls". What was cut off for another reason counts as too long.
const char* finish_reason(Finish finish);

}  // namespace cistern::serve::openai
