#include "tools/conversation.h"

#include <fmt/format.h>

#include "tools/input.h"
#include "tools/json_out.h"
#include "tools/out_file.h"

namespace cistern::tools {
namespace json = boost::json;
namespace {

Result<std::string> text_of(const json::object& object, const char* key, const std::string& where) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    return fail(ErrorCode::kFormat, fmt::format("\"{}\" must be a string", key), where);
  }
  return std::string(value->get_string());
}

}  // namespace

std::vector<Message> Conversation::all_messages() const {
  std::vector<Message> all;
  if (!system.empty()) all.push_back({.role = "system", .content = system});
  all.insert(all.end(), messages.begin(), messages.end());
  return all;
}

Result<void> save_conversation(const Conversation& conversation, const std::string& path) {
  json::array messages;
  for (const Message& message : conversation.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  const json::object document = {
      {"model", conversation.model}, {"system", conversation.system}, {"messages", std::move(messages)}};
  const std::string text = to_json(document, JsonForm::kPretty) + "\n";
  CISTERN_TRY(OutFile out, OutFile::create(path));
  CISTERN_TRY_VOID(out.write(std::as_bytes(std::span(text))));
  return out.commit();
}

Result<Conversation> load_conversation(const std::string& path) {
  CISTERN_TRY(const std::string text, read_file(path));
  CISTERN_TRY(const json::value document, parse_json(text, path));
  const json::object* object = document.if_object();
  const json::value* list = object != nullptr ? object->if_contains("messages") : nullptr;
  if (list == nullptr || !list->is_array())
    return fail(ErrorCode::kFormat, "no conversation: it has no list \"messages\"", path);
  Conversation conversation;
  CISTERN_TRY(conversation.model, text_of(*object, "model", path));
  CISTERN_TRY(conversation.system, text_of(*object, "system", path));
  for (const json::value& element : list->get_array()) {
    const std::size_t index = conversation.messages.size();
    const std::string where = fmt::format("{}: message {}", path, index);
    const json::object* message = element.if_object();
    if (message == nullptr) return fail(ErrorCode::kFormat, "expected an object", where);
    Message added;
    CISTERN_TRY(added.role, text_of(*message, "role", where));
    CISTERN_TRY(added.content, text_of(*message, "content", where));
    const char* expected = index % 2 == 0 ? "user" : "assistant";
    if (added.role != expected) {
      return fail(ErrorCode::kFormat,
                  fmt::format("the role is '{}' where '{}' must come", added.role, expected), where);
    }
    conversation.messages.push_back(std::move(added));
  }
  if (conversation.messages.size() % 2 != 0)
    return fail(ErrorCode::kFormat, "the last message has no answer", path);
  return conversation;
}

}  // namespace cistern::tools
