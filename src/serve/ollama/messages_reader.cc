#include "serve/ollama/messages_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cistern::serve::ollama {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kRoles = {"system", "user", "assistant", "tool"};

struct OpenCall {
  std::string id, name;
};

class Reader {
 public:
  Result<json::object> read(const Field& field);

 private:
  Result<json::array> read_calls(const Field& field);
  Result<void> read_result(const Fields& fields, json::object& message);

  std::deque<OpenCall> open_calls_;  // that have no result yet
  std::size_t call_count_ = 0;
};

Result<json::object> Reader::read(const Field& field) {
  CISTERN_TRY(const Fields fields, Fields::of(field));
  CISTERN_TRY(const Field role_field, fields.require("role"));
  CISTERN_TRY(const std::size_t role, role_field.one_of(kRoles));
  CISTERN_TRY_VOID(refuse_images(fields));
  CISTERN_TRY(const std::optional<std::string> content, fields.text("content"));
  json::object message = {{"role", kRoles.at(role)}, {"content", content.value_or("")}};
  if (kRoles.at(role) == "tool") {
    CISTERN_TRY_VOID(read_result(fields, message));
    return message;
  }
  CISTERN_TRY(const std::optional<std::string> thinking, fields.text("thinking"));
  if (thinking && !thinking->empty()) message["reasoning_content"] = *thinking;
  if (const auto calls = fields.find("tool_calls")) {
    CISTERN_TRY(json::array read, read_calls(*calls));
    if (!read.empty()) message["tool_calls"] = std::move(read);
  }
  return message;
}

Result<json::array> Reader::read_calls(const Field& field) {
  CISTERN_TRY(const json::array* calls, field.array(kMostCalls));
  json::array read;
  open_calls_.clear();  // results belong to the message before them
  for (std::size_t i = 0; i < calls->size(); ++i) {
    CISTERN_TRY(const Fields call, Fields::of(field[i]));
    CISTERN_TRY(const Field function_field, call.require("function"));
    CISTERN_TRY(const Fields function, Fields::of(function_field));
    CISTERN_TRY(const Field name_field, function.require("name"));
    CISTERN_TRY(const std::string name, name_field.text());
    json::object arguments;
    if (const auto given = function.find("arguments")) {
      CISTERN_TRY(const json::object* object, given->object());
      arguments = *object;
    }
    CISTERN_TRY(std::optional<std::string> id, call.text("id"));
    if (!id || id->empty()) id = fmt::format("call_{}", call_count_);
    ++call_count_;
    read.push_back({{"id", *id},
                    {"type", "function"},
                    {"function", {{"name", name}, {"arguments", std::move(arguments)}}}});
    open_calls_.push_back({*id, name});
  }
  return read;
}

Result<void> Reader::read_result(const Fields& fields, json::object& message) {
  CISTERN_TRY(const std::optional<std::string> name, fields.text("tool_name"));
  CISTERN_TRY(const std::optional<std::string> id, fields.text("tool_call_id"));
  const auto call = std::find_if(open_calls_.begin(), open_calls_.end(), [&](const OpenCall& open) {
    return id ? open.id == *id : !name || open.name == *name;
  });
  // A result without its call happens where a client has shortened the conversation; the template decides.
  if (call != open_calls_.end()) {
    message["tool_call_id"] = call->id;
    message["name"] = call->name;
    open_calls_.erase(call);
    return {};
  }
  if (id) message["tool_call_id"] = *id;
  if (name) message["name"] = *name;
  return {};
}

}  // namespace

Result<json::array> read_messages(const Field& messages) {
  CISTERN_TRY(const json::array* values, messages.array(kMostMessages));
  json::array read;
  Reader reader;
  for (std::size_t i = 0; i < values->size(); ++i) {
    CISTERN_TRY(json::object message, reader.read(messages[i]));
    read.push_back(std::move(message));
  }
  return read;
}

Result<void> refuse_images(const Fields& of) {
  const auto images = of.find("images");
  if (!images) return {};
  CISTERN_TRY(const json::array* list, images->array(kMostMessages));
  if (!list->empty()) return images->wrong("images are not supported", ErrorCode::kUnsupported);
  return {};
}

}  // namespace cistern::serve::ollama
