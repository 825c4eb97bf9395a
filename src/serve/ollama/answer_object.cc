#include "serve/ollama/answer_object.h"

#include <utility>

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9);
}

json::object object_of(const AnswerHead& head, AnswerPiece piece) {
  json::object object = {{"model", head.model}, {"created_at", head.created_at}};
  const bool is_chat = head.endpoint == Endpoint::kChat;
  json::object message = {{"role", "assistant"}};
  json::object& place = is_chat ? message : object;
  place[is_chat ? "content" : "response"] = piece.content;
  if (!piece.thinking.empty()) place["thinking"] = piece.thinking;
  if (!piece.tool_calls.empty()) place["tool_calls"] = std::move(piece.tool_calls);
  if (is_chat) object["message"] = std::move(message);
  if (!piece.logprobs.empty()) object["logprobs"] = std::move(piece.logprobs);
  return object;
}

}  // namespace

json::object piece_object(const AnswerHead& head, AnswerPiece piece) {
  json::object object = object_of(head, std::move(piece));
  object["done"] = false;
  return object;
}

json::object final_object(const AnswerHead& head, AnswerPiece piece, const AnswerEnd& end) {
  json::object object = object_of(head, std::move(piece));
  object["done"] = true;
  object["done_reason"] = end.finish == Finish::kLength ? "length" : "stop";
  object["total_duration"] = end.total_ns;
  object["load_duration"] = nanoseconds(end.usage.load_s);
  object["prompt_eval_count"] = end.usage.prompt_tokens;
  object["prompt_eval_duration"] = nanoseconds(end.usage.prefill_s);
  object["eval_count"] = end.usage.completion_tokens;
  object["eval_duration"] = nanoseconds(end.usage.decode_s);
  return object;
}

json::object loaded_object(const AnswerHead& head, std::int64_t total_ns, double load_s) {
  json::object object = object_of(head, {});
  object["done"] = true;
  object["done_reason"] = "load";
  object["total_duration"] = total_ns;
  object["load_duration"] = nanoseconds(load_s);
  return object;
}

}  // namespace cistern::serve::ollama
