#include "text/answer/tool_set.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cistern::text {
namespace {

using boost::json::object;
using boost::json::value;

constexpr std::size_t kMostNesting = 31;  // in the object of the arguments it is one level deeper
constexpr int kMostReferences = 16;       // and combinators inside each other

const object* member_object(const object& parent, std::string_view key) {
  const value* found = parent.if_contains(key);
  return found ? found->if_object() : nullptr;
}

void allow(ValueTypes& types, std::string_view name) {
  if (name == "string") {
    types.text = true;
    return;
  }
  types.other = true;
  if (name == "boolean") types.boolean = true;
  if (name == "null") types.null = true;
  if (name == "integer" || name == "number") types.number = true;
  if (name == "object" || name == "array") types.container = true;
}

std::string_view kind_name(const value& v) {
  if (v.is_string()) return "string";
  if (v.is_bool()) return "boolean";
  if (v.is_null()) return "null";
  return v.is_number() ? "number" : "object";
}

// Adds what `schema` allows; false when it does not say.
bool collect(const value& schema, const value& root, int depth, ValueTypes& types) {
  const object* o = schema.if_object();
  if (!o || depth > kMostReferences) return false;
  if (const value* type = o->if_contains("type")) {
    if (type->is_string()) allow(types, type->get_string());
    if (const auto* several = type->if_array()) {
      for (const value& one : *several) {
        if (one.is_string()) allow(types, one.get_string());
      }
    }
    return types.text || types.other;
  }
  if (const value* only = o->if_contains("const")) return allow(types, kind_name(*only)), true;
  if (const value* values = o->if_contains("enum"); values && values->is_array()) {
    for (const value& one : values->get_array()) allow(types, kind_name(one));
    return types.text || types.other;
  }
  if (const value* reference = o->if_contains("$ref"); reference && reference->is_string()) {
    const std::string_view pointer = reference->get_string();
    if (!pointer.starts_with("#/")) return false;
    boost::system::error_code error;
    const value* target = root.find_pointer(pointer.substr(1), error);
    return target && collect(*target, root, depth + 1, types);
  }
  for (const char* combinator : {"anyOf", "oneOf", "allOf"}) {
    const value* choices = o->if_contains(combinator);
    if (!choices || !choices->is_array()) continue;
    bool all = !choices->get_array().empty();
    for (const value& choice : choices->get_array()) all = collect(choice, root, depth + 1, types) && all;
    return all;
  }
  return false;
}

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool allows(const ValueTypes& types, const value& v) {
  return (v.is_bool() && types.boolean) || (v.is_null() && types.null) || (v.is_number() && types.number) ||
         ((v.is_object() || v.is_array()) && types.container);
}

}  // namespace

ToolSet::ToolSet(const boost::json::array& tools) {
  for (const value& entry : tools) {
    const object* tool = entry.if_object();
    if (!tool) continue;
    if (const object* function = member_object(*tool, "function")) tool = function;
    const value* name = tool->if_contains("name");
    if (!name || !name->is_string() || name->get_string().empty()) continue;
    const object* parameters = member_object(*tool, "parameters");
    tools_.push_back({std::string(name->get_string()),
                      parameters ? value(*parameters) : value(object{{"type", "object"}})});
  }
}

const Tool* ToolSet::find(std::string_view name) const {
  for (const Tool& tool : tools_) {
    if (tool.name == name) return &tool;
  }
  return nullptr;
}

bool ToolSet::has_beginning(std::string_view beginning) const {
  for (const Tool& tool : tools_) {
    if (tool.name.starts_with(beginning)) return true;
  }
  return false;
}

ValueTypes types_of(const Tool& tool, std::string_view parameter) {
  constexpr ValueTypes kAny{
      .text = true, .other = true, .boolean = true, .null = true, .number = true, .container = true};
  const object* schema = tool.parameters.if_object();
  const object* properties = schema ? member_object(*schema, "properties") : nullptr;
  const value* property = properties ? properties->if_contains(parameter) : nullptr;
  ValueTypes types;
  return property && collect(*property, tool.parameters, 0, types) ? types : kAny;
}

value schema_of(const Tool& tool, std::string_view parameter) {
  const object* schema = tool.parameters.if_object();
  const object* properties = schema ? member_object(*schema, "properties") : nullptr;
  const value* property = properties ? properties->if_contains(parameter) : nullptr;
  if (!property) return nullptr;
  if (!property->is_object()) return *property;
  object out = property->get_object();
  for (const char* definitions : {"$defs", "definitions"}) {
    if (const value* found = schema->if_contains(definitions); found && !out.contains(definitions))
      out[definitions] = *found;
  }
  return out;
}

std::string typed_value(const ValueTypes& types, std::string_view text) {
  if (!types.other) return quoted(text);
  const std::string_view bare = trimmed(text);
  boost::system::error_code error;
  const value parsed = boost::json::parse(bare, error, {}, {.max_depth = kMostNesting});
  if (!error && (!types.text || allows(types, parsed))) return std::string(bare);
  if (types.boolean && bare == "True") return "true";
  if (types.boolean && bare == "False") return "false";
  if (types.null && bare == "None") return "null";
  return quoted(text);
}

}  // namespace cistern::text
