#include "serve/anthropic/message_events.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "serve/http/sse.h"

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

// Every event names itself twice: in its line, and in "type".
void append_event(std::string& out, const json::object& data) {
  const json::string& type = data.at("type").get_string();
  out += http::sse_event(type, json::serialize(data));
}

}  // namespace

std::string MessageEvents::start(std::uint32_t prompt_tokens, std::uint32_t cached_tokens) const {
  const Usage so_far = {.prompt_tokens = prompt_tokens, .cached_tokens = cached_tokens};
  std::string out;
  append_event(out, {{"type", "message_start"}, {"message", message_object(head_, {}, so_far)}});
  append_event(out, {{"type", "ping"}});
  return out;
}

std::string MessageEvents::deltas(const std::vector<Delta>& deltas) {
  std::string out;
  for (const Delta& delta : deltas) add(out, delta);
  return out;
}

std::string MessageEvents::finish(const MessageEnd& end, const Usage& usage) {
  std::string out;
  close(out);
  json::object delta;
  add_stop(delta, end);
  append_event(out, {{"type", "message_delta"}, {"delta", std::move(delta)}, {"usage", usage_object(usage)}});
  append_event(out, {{"type", "message_stop"}});
  return out;
}

void MessageEvents::add(std::string& out, const Delta& delta) {
  switch (delta.kind) {
    case Delta::Kind::kReasoning:
      if (open_ != Block::kThinking)
        open(out, Block::kThinking, {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
      return add_delta(out, {{"type", "thinking_delta"}, {"thinking", delta.text}});
    case Delta::Kind::kContent:
      if (open_ != Block::kText) open(out, Block::kText, {{"type", "text"}, {"text", ""}});
      return add_delta(out, {{"type", "text_delta"}, {"text", delta.text}});
    case Delta::Kind::kCallBegin:
      return open(out, Block::kToolUse,
                  {{"type", "tool_use"},
                   {"id", tool_use_id(head_, delta)},
                   {"name", delta.name},
                   {"input", json::object()}});
    case Delta::Kind::kCallArguments:
      return add_delta(out, {{"type", "input_json_delta"}, {"partial_json", delta.text}});
    case Delta::Kind::kCallEnd:
      return close(out);
  }
}

void MessageEvents::open(std::string& out, Block kind, json::object content) {
  close(out);
  append_event(out,
               {{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(content)}});
  open_ = kind;
}

void MessageEvents::close(std::string& out) {
  if (open_ == Block::kNone) return;
  if (open_ == Block::kThinking) add_delta(out, {{"type", "signature_delta"}, {"signature", kSignature}});
  append_event(out, {{"type", "content_block_stop"}, {"index", index_}});
  open_ = Block::kNone;
  ++index_;
}

void MessageEvents::add_delta(std::string& out, json::object delta) const {
  append_event(out, {{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(delta)}});
}

std::string error_event(const json::object& document) {
  std::string out;
  append_event(out, document);
  return out;
}

}  // namespace cistern::serve::anthropic
