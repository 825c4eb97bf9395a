// The whole form of an Anthropic answer: collects what an AnswerSink is told and makes one message of it. One
// per answer, used by its sink; calls come one after the other.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "serve/answer.h"
#include "serve/anthropic/message_parts.h"

namespace cistern::serve::anthropic {

class MessageDocument {
 public:
  explicit MessageDocument(MessageHead head) : head_(std::move(head)) {}

  void add(const std::vector<Delta>& deltas);
  // REQUIRES: not cancelled. Called once.
  boost::json::object finish(const MessageEnd& end, const Usage& usage);

 private:
  enum class Kind { kThinking, kText, kToolUse };
  struct Block {
    Kind kind = Kind::kText;
    std::string text;  // of a tool's use: its arguments
    std::string name, id;
  };

  void append(Kind kind, const std::string& text);
  static boost::json::object content_of(const Block& block);

  MessageHead head_;
  std::vector<Block> blocks_;
  bool closed_ = true;  // the last block takes no more text
};

}  // namespace cistern::serve::anthropic
