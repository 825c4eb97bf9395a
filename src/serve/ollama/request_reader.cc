#include "serve/ollama/request_reader.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/value.hpp>
#include <utility>

#include "serve/json_fields.h"
#include "serve/ollama/messages_reader.h"
#include "serve/ollama/model_objects.h"
#include "serve/ollama/options_reader.h"
#include "serve/openai/tool_fields.h"

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostDimensions = 1 << 20;

// "model", or "name" as it was called before.
Result<std::string> read_model(const Fields& request) {
  const auto old = request.find("model") ? std::nullopt : request.find("name");
  CISTERN_TRY(const Field field, old ? Result<Field>(*old) : request.require("model"));
  CISTERN_TRY(std::string name, field.text());
  if (name_without_latest(name).empty()) return field.wrong("must not be empty");
  return name;
}

Result<bool> is_empty(const Field& field) {
  if (field.is_text()) return field.value().get_string().empty();
  if (field.is_array()) return field.value().get_array().empty();
  return field.wrong_type("a string or an array");
}

// These would make another prompt of the same fields.
Result<void> refuse(const Fields& request, std::string_view name, std::string_view why) {
  const auto field = request.find(name);
  if (!field) return {};
  CISTERN_TRY(const bool empty, is_empty(*field));
  if (!empty) return field->wrong(std::string(why), ErrorCode::kUnsupported);
  return {};
}

Result<AnswerRequest> read_common(const Fields& request) {
  AnswerRequest read;
  CISTERN_TRY(read.model, read_model(request));
  read.task.model = name_without_latest(read.model);
  CISTERN_TRY(const std::optional<bool> stream, request.boolean("stream"));
  read.stream = stream.value_or(true);
  CISTERN_TRY(AnswerOptions options, read_answer_options(request));
  read.task.sampling = std::move(options.sampling);
  read.task.format = std::move(options.format);
  read.task.max_tokens = options.max_tokens;
  read.task.stop = std::move(options.stop);
  read.task.logprobs = options.logprobs;
  read.task.top_logprobs = options.top_logprobs;
  read.context_tokens = options.context_tokens;
  return read;
}

Result<AnswerRequest> about_the_model_alone(AnswerRequest read, const Fields& request) {
  CISTERN_TRY(const KeepAlive keep_alive, read_keep_alive(request));
  read.wish = keep_alive.unload ? AnswerRequest::Wish::kUnload : AnswerRequest::Wish::kLoad;
  return read;
}

Result<RawText> read_raw_prompt(const Fields& request) {
  CISTERN_TRY(const std::optional<std::string> prompt, request.text("prompt"));
  CISTERN_TRY(const std::optional<std::string> suffix, request.text("suffix"));
  return RawText{.text = prompt.value_or(""), .suffix = suffix.value_or("")};
}

Result<Conversation> read_prompted_conversation(const Fields& request) {
  Conversation conversation;
  CISTERN_TRY(const std::optional<std::string> system, request.text("system"));
  CISTERN_TRY(const std::optional<std::string> prompt, request.text("prompt"));
  if (system && !system->empty()) conversation.messages.push_back({{"role", "system"}, {"content", *system}});
  conversation.messages.push_back({{"role", "user"}, {"content", prompt.value_or("")}});
  CISTERN_TRY_VOID(read_think(request, conversation));
  return conversation;
}

Result<std::vector<std::variant<std::string, RawTokens>>> read_inputs(const Field& field) {
  std::vector<std::variant<std::string, RawTokens>> inputs;
  if (field.is_text()) {
    CISTERN_TRY(std::string text, field.text());
    if (!text.empty()) inputs.emplace_back(std::move(text));
    return inputs;
  }
  if (!field.is_array()) return field.wrong_type("a string or an array of strings");
  CISTERN_TRY(const json::array* values, field.array(kMostInputs));
  for (std::size_t i = 0; i < values->size(); ++i) {
    CISTERN_TRY(std::string text, field[i].text());
    inputs.emplace_back(std::move(text));
  }
  return inputs;
}

Result<EmbedRequest> read_embedding(std::string_view body, std::string_view input_name) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields request, Fields::of(document));
  EmbedRequest read;
  CISTERN_TRY(read.model, read_model(request));
  read.task.model = name_without_latest(read.model);
  CISTERN_TRY(const Field input, request.require(input_name));
  CISTERN_TRY(read.task.inputs, read_inputs(input));
  CISTERN_TRY(const auto dimensions, request.integer("dimensions", 1, kMostDimensions));
  if (dimensions) read.dimensions = static_cast<std::uint32_t>(*dimensions);
  CISTERN_TRY_VOID(read_keep_alive(request));
  return read;
}

}  // namespace

Result<AnswerRequest> read_chat_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields request, Fields::of(document));
  CISTERN_TRY(AnswerRequest read, read_common(request));
  Conversation conversation;
  if (const auto messages = request.find("messages")) {
    CISTERN_TRY(conversation.messages, read_messages(*messages));
  }
  if (conversation.messages.empty()) return about_the_model_alone(std::move(read), request);
  CISTERN_TRY_VOID(read_keep_alive(request));
  CISTERN_TRY_VOID(openai::read_tools(request, openai::ToolShape::kNested, conversation));
  CISTERN_TRY_VOID(read_think(request, conversation));
  // The answer goes on where the client left off.
  const json::object& last = conversation.messages.back().get_object();
  conversation.continue_last = last.at("role") == "assistant" && !last.contains("tool_calls");
  read.task.prompt = std::move(conversation);
  return read;
}

Result<AnswerRequest> read_generate_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields request, Fields::of(document));
  CISTERN_TRY(AnswerRequest read, read_common(request));
  CISTERN_TRY_VOID(refuse_images(request));
  CISTERN_TRY_VOID(refuse(request, "template", "the model's own template is used; \"raw\" goes without any"));
  CISTERN_TRY_VOID(refuse(request, "context", "conversations are continued with /api/chat"));
  CISTERN_TRY_VOID(read_keep_alive(request));
  CISTERN_TRY(const std::optional<bool> raw, request.boolean("raw"));
  CISTERN_TRY(RawText text, read_raw_prompt(request));
  CISTERN_TRY(Conversation conversation, read_prompted_conversation(request));
  if (text.text.empty() && text.suffix.empty()) return about_the_model_alone(std::move(read), request);
  if (raw.value_or(false) || !text.suffix.empty()) {
    CISTERN_TRY_VOID(refuse(request, "system", "a prompt that is raw or has a suffix is taken as it is"));
    read.task.prompt = std::move(text);
  } else {
    read.task.prompt = std::move(conversation);
  }
  return read;
}

Result<EmbedRequest> read_embed_request(std::string_view body) {
  return read_embedding(body, "input");
}

Result<EmbedRequest> read_embeddings_request(std::string_view body) {
  return read_embedding(body, "prompt");
}

Result<std::string> read_show_request(std::string_view body) {
  CISTERN_TRY(const json::value document, parse_json(body));
  CISTERN_TRY(const Fields request, Fields::of(document));
  CISTERN_TRY(const std::string name, read_model(request));
  return name_without_latest(name);
}

}  // namespace cistern::serve::ollama
