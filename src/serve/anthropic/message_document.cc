#include "serve/anthropic/message_document.h"

#include <boost/json/parse.hpp>
#include <utility>

#include <fmt/format.h>

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

}  // namespace

void MessageDocument::add(const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) switch (delta.kind) {
      case Delta::Kind::kReasoning:
        append(Kind::kThinking, delta.text);
        break;
      case Delta::Kind::kContent:
        append(Kind::kText, delta.text);
        break;
      case Delta::Kind::kCallArguments:
        append(Kind::kToolUse, delta.text);
        break;
      case Delta::Kind::kCallEnd:
        closed_ = true;
        break;
      case Delta::Kind::kCallBegin:
        blocks_.push_back({Kind::kToolUse, {}, delta.name, tool_use_id(head_, delta)});
        closed_ = false;
        break;
    }
}

void MessageDocument::append(Kind kind, const std::string& text) {
  if (closed_ || blocks_.back().kind != kind) blocks_.push_back({.kind = kind});
  closed_ = false;
  blocks_.back().text += text;
}

json::object MessageDocument::finish(const MessageEnd& end, const Usage& usage) {
  json::array content;
  for (const Block& block : blocks_) content.push_back(content_of(block));
  json::object message = message_object(head_, std::move(content), usage);
  add_stop(message, end);
  return message;
}

json::object MessageDocument::content_of(const Block& block) {
  if (block.kind == Kind::kThinking)
    return {{"type", "thinking"}, {"thinking", block.text}, {"signature", kSignature}};
  if (block.kind == Kind::kText) return {{"type", "text"}, {"text", block.text}};
  boost::system::error_code error;
  json::value input = block.text.empty() ? json::object() : json::parse(block.text, error);
  // A call that was cut off must not look like one that can be made: it stays what it is, a piece of text.
  if (error || !input.is_object())
    return {{"type", "text"}, {"text", fmt::format("{} {}", block.name, block.text)}};
  return {{"type", "tool_use"}, {"id", block.id}, {"name", block.name}, {"input", std::move(input)}};
}

}  // namespace cistern::serve::anthropic
