#include "serve/tool_prompt.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>

namespace cistern::serve {
namespace {

namespace json = boost::json;

std::string description_of(const json::array& tools) {
  std::string text =
      "You can call functions. To call one, answer only with a JSON object: {\"name\": its name, "
      "\"arguments\": an object with its arguments}. The functions, as JSON:";
  for (const json::value& tool : tools) {
    const json::object* object = tool.if_object();
    const json::value* function = object == nullptr ? nullptr : object->if_contains("function");
    text += "\n" + json::serialize(function == nullptr ? tool : *function);
  }
  return text;
}

}  // namespace

json::array with_tools_described(json::array messages, const json::array& tools) {
  const std::string description = description_of(tools);
  json::object* first = messages.empty() ? nullptr : messages.front().if_object();
  json::value* role = first == nullptr ? nullptr : first->if_contains("role");
  json::value* content = first == nullptr ? nullptr : first->if_contains("content");
  if (role != nullptr && *role == "system" && content != nullptr && content->is_string()) {
    content->as_string() += "\n\n" + description;
    return messages;
  }
  messages.insert(messages.begin(), json::object{{"role", "system"}, {"content", description}});
  return messages;
}

}  // namespace cistern::serve
