// The tools that a request offers: their names, and what their schemas say about values that a model writes
// without JSON's quotes. Made once per request from OpenAI's form of tools; used by answer_parser.h and
// call_grammar.h. Knows types of properties, no other keywords of JSON Schema. Immutable; thread-safe.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::text {

struct Tool {
  std::string name;
  boost::json::value parameters;  // the schema of its arguments; an object
};

class ToolSet {
 public:
  ToolSet() = default;
  // {"type": "function", "function": {"name", "parameters"}}, or the function alone. What has no name is left
  // out; readers of requests have complained by then.
  explicit ToolSet(const boost::json::array& tools);

  bool empty() const { return tools_.empty(); }
  const std::vector<Tool>& all() const { return tools_; }
  const Tool* find(std::string_view name) const;
  bool has_beginning(std::string_view beginning) const;  // some tool's name begins so

 private:
  std::vector<Tool> tools_;
};

// What may stand for a parameter, as far as its schema tells.
struct ValueTypes {
  bool text = false;   // strings
  bool other = false;  // anything else
  bool boolean = false, null = false, number = false, container = false;
};

// Of one parameter; all types where the schema does not say. Follows local references.
ValueTypes types_of(const Tool& tool, std::string_view parameter);

// The schema of one parameter with the definitions that it refers to; null where there is none.
boost::json::value schema_of(const Tool& tool, std::string_view parameter);

// The JSON of a parameter's value that was written as bare text: a string where the schema wants one, else
// the text read as JSON (or as Python's True, False, None), else a string all the same.
std::string typed_value(const ValueTypes& types, std::string_view text);

}  // namespace cistern::text
