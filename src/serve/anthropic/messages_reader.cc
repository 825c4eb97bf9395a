#include "serve/anthropic/messages_reader.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace cistern::serve::anthropic {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kRoles = {"user", "assistant", "system"};

// Between blocks of text that a client wrote; what a model wrote is joined as it was.
constexpr std::string_view kSeparator = "\n";

std::unexpected<Error> unsupported(const Field& block, std::string_view type) {
  return block.wrong(fmt::format("blocks of type \"{}\" are not supported here", type),
                     ErrorCode::kUnsupported);
}

// A text, or blocks of text only.
Result<std::string> read_text(const Field& content) {
  if (content.is_text()) return content.text();
  if (!content.is_array()) return content.wrong_type("a string or an array of blocks");
  CISTERN_TRY(const json::array* blocks, content.array(kMostMessages));
  std::string text;
  for (std::size_t i = 0; i < blocks->size(); ++i) {
    CISTERN_TRY(const Fields block, Fields::of(content[i]));
    CISTERN_TRY(const Field type_field, block.require("type"));
    CISTERN_TRY(const std::string type, type_field.text());
    if (type != "text") return unsupported(content[i], type);
    CISTERN_TRY(const Field text_field, block.require("text"));
    CISTERN_TRY(const std::string part, text_field.text());
    if (i > 0) text += kSeparator;
    text += part;
  }
  return text;
}

Result<std::string> required_text(const Fields& fields, std::string_view name) {
  CISTERN_TRY(const Field field, fields.require(name));
  return field.text();
}

class Reader {
 public:
  Result<void> add_system(const Field& content);
  Result<void> add_message(const Field& message);
  // `place`: of the last message, for errors.
  Result<Messages> finish(const Field& place);

 private:
  struct BlockKind {
    std::string_view role, type;
    Result<void> (Reader::*add)(const Fields& block);
  };
  static const std::array<BlockKind, 6> kBlockKinds;

  Result<void> add_block(std::string_view role, const Field& block);
  Result<void> add_user_text(const Fields& block);
  Result<void> add_tool_result(const Fields& block);
  Result<void> add_assistant_text(const Fields& block);
  Result<void> add_thinking(const Fields& block);
  Result<void> add_redacted_thinking(const Fields& block);
  Result<void> add_tool_use(const Fields& block);

  void append_text(std::string_view role, std::string_view text);
  // The last message, if it is of this role, else a new one without content.
  json::object& message_of(std::string_view role);

  json::array messages_;
  std::map<std::string, std::string, std::less<>>
      open_calls_;  // id -> name of tools that were not answered yet
};

const std::array<Reader::BlockKind, 6> Reader::kBlockKinds = {{
    {"user", "text", &Reader::add_user_text},
    {"user", "tool_result", &Reader::add_tool_result},
    {"assistant", "text", &Reader::add_assistant_text},
    {"assistant", "thinking", &Reader::add_thinking},
    {"assistant", "redacted_thinking", &Reader::add_redacted_thinking},
    {"assistant", "tool_use", &Reader::add_tool_use},
}};

Result<void> Reader::add_system(const Field& content) {
  CISTERN_TRY(const std::string text, read_text(content));
  if (!text.empty()) append_text("system", text);
  return {};
}

Result<void> Reader::add_message(const Field& message) {
  CISTERN_TRY(const Fields fields, Fields::of(message));
  CISTERN_TRY(const Field role_field, fields.require("role"));
  CISTERN_TRY(const std::size_t role_index, role_field.one_of(kRoles));
  const std::string_view role = kRoles.at(role_index);
  CISTERN_TRY(const Field content, fields.require("content"));
  if (role == "system") return add_system(content);
  if (content.is_text()) {
    CISTERN_TRY(const std::string text, content.text());
    append_text(role, text);
    return {};
  }
  if (!content.is_array()) return content.wrong_type("a string or an array of blocks");
  CISTERN_TRY(const json::array* blocks, content.array(kMostMessages));
  if (role == "assistant") message_of(role);  // even if it says nothing: it separates the others
  for (std::size_t i = 0; i < blocks->size(); ++i) CISTERN_TRY_VOID(add_block(role, content[i]));
  return {};
}

Result<void> Reader::add_block(std::string_view role, const Field& block) {
  CISTERN_TRY(const Fields fields, Fields::of(block));
  CISTERN_TRY(const std::string type, required_text(fields, "type"));
  for (const BlockKind& kind : kBlockKinds)
    if (kind.role == role && kind.type == type) return (this->*kind.add)(fields);
  for (const BlockKind& kind : kBlockKinds)
    if (kind.type == type)
      return block.wrong(
          fmt::format("blocks of type \"{}\" belong into messages of the {}", type, kind.role));
  return unsupported(block, type);
}

Result<void> Reader::add_user_text(const Fields& block) {
  CISTERN_TRY(const std::string text, required_text(block, "text"));
  append_text("user", text);
  return {};
}

Result<void> Reader::add_tool_result(const Fields& block) {
  CISTERN_TRY(const Field id_field, block.require("tool_use_id"));
  CISTERN_TRY(const std::string id, id_field.text());
  const auto call = open_calls_.find(id);
  if (call == open_calls_.end())
    return id_field.wrong("no tool_use block before has this id, or it has its result already");
  std::string text;
  if (const auto content = block.find("content")) {
    CISTERN_TRY(text, read_text(*content));
  }
  CISTERN_TRY(const std::optional<bool> is_error, block.boolean("is_error"));
  if (is_error.value_or(false)) text = fmt::format("Error: {}", text);
  messages_.push_back(
      {{"role", "tool"}, {"tool_call_id", id}, {"name", call->second}, {"content", std::move(text)}});
  open_calls_.erase(call);
  return {};
}

Result<void> Reader::add_assistant_text(const Fields& block) {
  CISTERN_TRY(const std::string text, required_text(block, "text"));
  append_text("assistant", text);
  return {};
}

Result<void> Reader::add_thinking(const Fields& block) {
  CISTERN_TRY(const std::string text, required_text(block, "thinking"));
  json::value& thinking = message_of("assistant")["reasoning_content"];
  if (thinking.is_null()) thinking.emplace_string();
  thinking.get_string().append(text);
  return {};
}

// Encrypted for another provider's models: nothing that could be read here.
Result<void> Reader::add_redacted_thinking(const Fields& /*block*/) {
  return {};
}

Result<void> Reader::add_tool_use(const Fields& block) {
  CISTERN_TRY(const std::string id, required_text(block, "id"));
  CISTERN_TRY(const std::string name, required_text(block, "name"));
  CISTERN_TRY(const Field input_field, block.require("input"));
  CISTERN_TRY(const json::object* input, input_field.object());
  json::value& calls = message_of("assistant")["tool_calls"];
  if (calls.is_null()) calls.emplace_array();
  calls.get_array().push_back(
      {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", *input}}}});
  open_calls_.insert_or_assign(id, name);
  return {};
}

void Reader::append_text(std::string_view role, std::string_view text) {
  json::string& content = message_of(role)["content"].get_string();
  if (!content.empty() && role != "assistant") content.append(kSeparator);
  content.append(text);
}

json::object& Reader::message_of(std::string_view role) {
  if (messages_.empty() || messages_.back().get_object().at("role").get_string() != role)
    messages_.push_back({{"role", role}, {"content", ""}});
  return messages_.back().get_object();
}

Result<Messages> Reader::finish(const Field& place) {
  Messages read;
  if (!messages_.empty() && messages_.back().at("role") == "assistant") {
    const json::object& last = messages_.back().get_object();
    if (last.contains("tool_calls"))
      return place.wrong("the last message uses tools: their results are missing");
    read.continue_last = !last.at("content").get_string().empty() || last.contains("reasoning_content");
    if (!read.continue_last) messages_.pop_back();
  }
  if (messages_.empty()) return place.wrong("there is nothing to answer: all messages are empty");
  read.messages = std::move(messages_);
  return read;
}

}  // namespace

Result<Messages> read_messages(const Fields& request) {
  Reader reader;
  if (const auto system = request.find("system")) CISTERN_TRY_VOID(reader.add_system(*system));
  CISTERN_TRY(const Field field, request.require("messages"));
  CISTERN_TRY(const json::array* messages, field.array(kMostMessages));
  if (messages->empty()) return field.wrong("has to have at least one message");
  for (std::size_t i = 0; i < messages->size(); ++i) CISTERN_TRY_VOID(reader.add_message(field[i]));
  return reader.finish(field[messages->size() - 1]);
}

}  // namespace cistern::serve::anthropic
