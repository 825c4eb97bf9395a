#include "serve/anthropic/request_reader.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "serve/anthropic/messages_reader.h"
#include "serve/anthropic/tools_reader.h"
#include "serve/json_fields.h"

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostTokens = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kMostStopLength = kMostStopBytes / 4;  // in characters, whatever bytes they have
constexpr Range kTemperature = {.min = 0, .max = 2};         // Anthropic's ends at 1, most models' does not
constexpr Range kShare = {.min = 0, .max = 1};

// An answer without these would be another one than was asked for.
constexpr std::array<std::string_view, 2> kRefused = {"container", "mcp_servers"};

constexpr std::array<std::string_view, 3> kThinkingTypes = {"enabled", "disabled", "adaptive"};
constexpr std::array<std::optional<bool>, 3> kReasoning = {true, false, std::nullopt};

constexpr std::array<std::string_view, 5> kEfforts = {"low", "medium", "high", "xhigh", "max"};
constexpr std::array<std::string_view, 5> kEffortsHere = {"low", "medium", "high", "high", "high"};

bool says_something(const Field& field) {
  return !(field.is_array() && field.value().get_array().empty());
}

Result<void> read_thinking(const Field& field, Conversation& into) {
  CISTERN_TRY(const Fields thinking, Fields::of(field));
  CISTERN_TRY(const Field type, thinking.require("type"));
  CISTERN_TRY(const std::size_t index, type.one_of(kThinkingTypes));
  // Models here have no budget of their own; max_tokens ends thinking too.
  CISTERN_TRY([[maybe_unused]] const auto budget, thinking.integer("budget_tokens", 1, kMostTokens));
  into.reasoning = kReasoning.at(index);
  return {};
}

Result<void> read_output_config(const Field& field, Conversation& into, Format& format) {
  CISTERN_TRY(const Fields config, Fields::of(field));
  if (const auto effort = config.find("effort")) {
    CISTERN_TRY(const std::size_t index, effort->one_of(kEfforts));
    into.reasoning_effort = kEffortsHere.at(index);
  }
  if (const auto wanted = config.find("format")) {
    CISTERN_TRY(const Fields fields, Fields::of(*wanted));
    CISTERN_TRY(const Field type, fields.require("type"));
    CISTERN_TRY_VOID(type.one_of(std::array<std::string_view, 1>{"json_schema"}));
    CISTERN_TRY(const Field schema, fields.require("schema"));
    CISTERN_TRY_VOID(schema.object());
    format.json_schema = schema.value();
  }
  return {};
}

// What counting and answering have in common.
Result<void> read_prompt(const Fields& request, GenerationTask& into) {
  for (const std::string_view name : kRefused)
    if (const auto field = request.find(name); field && says_something(*field))
      return field->wrong("is not supported", ErrorCode::kUnsupported);
  CISTERN_TRY(const Field model, request.require("model"));
  CISTERN_TRY(into.model, model.text());
  if (into.model.empty()) return model.wrong("must not be empty");
  CISTERN_TRY(Messages messages, read_messages(request));
  Conversation conversation;
  conversation.messages = std::move(messages.messages);
  conversation.continue_last = messages.continue_last;
  CISTERN_TRY_VOID(read_tools(request, conversation));
  if (const auto thinking = request.find("thinking"))
    CISTERN_TRY_VOID(read_thinking(*thinking, conversation));
  if (const auto config = request.find("output_config"))
    CISTERN_TRY_VOID(read_output_config(*config, conversation, into.format));
  into.prompt = std::move(conversation);
  return {};
}

Result<std::vector<std::string>> read_stops(const Field& field) {
  CISTERN_TRY(const json::array* values, field.array(kMostStops));
  std::vector<std::string> stops;
  for (std::size_t i = 0; i < values->size(); ++i) {
    CISTERN_TRY(std::string stop, field[i].text_of_length(1, kMostStopLength));
    stops.push_back(std::move(stop));
  }
  return stops;
}

Result<void> read_sampling(const Fields& request, Sampling& into) {
  CISTERN_TRY(const std::optional<double> temperature, request.number("temperature", kTemperature));
  CISTERN_TRY(const std::optional<double> top_p, request.number("top_p", kShare));
  CISTERN_TRY(const auto top_k, request.integer("top_k", 0, kMostTokens));
  if (temperature) into.temperature = static_cast<float>(*temperature);
  if (top_p) into.top_p = static_cast<float>(*top_p);
  if (top_k) into.top_k = static_cast<std::uint32_t>(*top_k);
  return {};
}

}  // namespace

Result<MessagesRequest> read_messages_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields request, Fields::of(document));
  MessagesRequest read;
  CISTERN_TRY_VOID(read_prompt(request, read.task));
  CISTERN_TRY(const Field max_tokens_field, request.require("max_tokens"));
  CISTERN_TRY(const std::int64_t max_tokens, max_tokens_field.integer(1, kMostTokens));
  read.task.max_tokens = static_cast<std::uint32_t>(max_tokens);
  CISTERN_TRY_VOID(read_sampling(request, read.task.sampling));
  if (const auto stops = request.find("stop_sequences")) {
    CISTERN_TRY(read.task.stop, read_stops(*stops));
  }
  CISTERN_TRY(const std::optional<bool> stream, request.boolean("stream"));
  read.stream = stream.value_or(false);
  return read;
}

Result<GenerationTask> read_count_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields request, Fields::of(document));
  GenerationTask task;
  CISTERN_TRY_VOID(read_prompt(request, task));
  return task;
}

}  // namespace cistern::serve::anthropic
