// What the two forms of an Anthropic answer have in common, the document (message_document.h) and the events
// (message_events.h): the message around its blocks, the usage, the names of reasons to stop. Pure functions.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "serve/answer.h"

namespace cistern::serve::anthropic {

// Clients hand thinking back only with a signature. Nothing is signed here, and readers take any.
inline constexpr std::string_view kSignature = "cistern";

struct MessageHead {
  std::string id;     // "msg_…"
  std::string model;  // as the client named it
};

// How a message ended; `stop` is the stop string of Finish::kStop.
struct MessageEnd {
  Finish finish = Finish::kEnd;
  std::string stop;
};

// Writes "stop_reason" and "stop_sequence" into `object`. A cancelled answer is an error, not a message:
// REQUIRES another finish.
void add_stop(boost::json::object& object, const MessageEnd& end);

// Tokens of the prompt that came from the cache are told apart from the others, as Anthropic counts.
boost::json::object usage_object(const Usage& usage);

// The message without its reason to stop.
boost::json::object message_object(const MessageHead& head, boost::json::array content, const Usage& usage);

// "toolu_…" of a call: from the id that the backend gave it, or its place in the message.
std::string tool_use_id(const MessageHead& head, const Delta& call_begin);

}  // namespace cistern::serve::anthropic
