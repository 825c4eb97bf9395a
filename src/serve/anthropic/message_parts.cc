#include "serve/anthropic/message_parts.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include "base/check.h"

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

constexpr std::array kStopReasons = {
    std::pair{Finish::kEnd, "end_turn"},
    std::pair{Finish::kStop, "stop_sequence"},
    std::pair{Finish::kLength, "max_tokens"},
    std::pair{Finish::kToolCalls, "tool_use"},
};

}  // namespace

void add_stop(json::object& object, const MessageEnd& end) {
  CISTERN_CHECK(end.finish != Finish::kCancelled);
  for (const auto& [finish, name] : kStopReasons)
    if (finish == end.finish) object["stop_reason"] = name;
  object["stop_sequence"] = end.finish == Finish::kStop ? json::value(end.stop) : json::value(nullptr);
}

json::object usage_object(const Usage& usage) {
  const std::uint32_t cached = std::min(usage.cached_tokens, usage.prompt_tokens);
  return {
      {"input_tokens", usage.prompt_tokens - cached},
      {"cache_creation_input_tokens", 0},
      {"cache_read_input_tokens", cached},
      {"output_tokens", usage.completion_tokens},
      {"output_tokens_details", {{"thinking_tokens", usage.reasoning_tokens}}},
  };
}

json::object message_object(const MessageHead& head, json::array content, const Usage& usage) {
  return {
      {"id", head.id},
      {"type", "message"},
      {"role", "assistant"},
      {"model", head.model},
      {"stop_reason", nullptr},
      {"stop_sequence", nullptr},
      {"content", std::move(content)},
      {"usage", usage_object(usage)},
  };
}

std::string tool_use_id(const MessageHead& head, const Delta& call_begin) {
  constexpr std::string_view kPrefix = "toolu_";
  if (call_begin.id.starts_with(kPrefix)) return call_begin.id;
  if (!call_begin.id.empty()) return fmt::format("{}{}", kPrefix, call_begin.id);
  return fmt::format("{}{}_{}", kPrefix, head.id, call_begin.call);
}

}  // namespace cistern::serve::anthropic
