// The streamed form of an Anthropic answer: turns what an AnswerSink is told into server-sent events, as text
// that is ready to be written. One per answer, used by its sink; calls come one after the other. Blocks are
// opened and closed here, since the backend tells only of pieces.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serve/answer.h"
#include "serve/anthropic/message_parts.h"

namespace cistern::serve::anthropic {

class MessageEvents {
 public:
  explicit MessageEvents(MessageHead head) : head_(std::move(head)) {}

  // message_start and a ping. Must come first.
  std::string start(std::uint32_t prompt_tokens, std::uint32_t cached_tokens) const;
  std::string deltas(const std::vector<Delta>& deltas);
  // Closes the last block; message_delta and message_stop. REQUIRES: not cancelled.
  std::string finish(const MessageEnd& end, const Usage& usage);

 private:
  enum class Block { kNone, kThinking, kText, kToolUse };

  void add(std::string& out, const Delta& delta);
  void open(std::string& out, Block kind, boost::json::object content);
  void close(std::string& out);
  void add_delta(std::string& out, boost::json::object delta) const;

  MessageHead head_;
  Block open_ = Block::kNone;
  std::uint32_t index_ = 0;  // of the open block, or of the next one
};

// The event that ends a stream that failed; `document` is that of error_document.h.
std::string error_event(const boost::json::object& document);

}  // namespace cistern::serve::anthropic
