#include "text/jinja/arguments.h"

#include "text/jinja/failure.h"
#include "text/jinja/operators.h"

namespace cistern::text::jinja {
namespace {

struct Parameter {
  std::string_view name;
  bool optional = false;
};

// Takes the next name off `rest`; an empty name at the end.
Parameter next_parameter(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  Parameter parameter{rest.substr(0, end)};
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  if (parameter.name.ends_with('?')) {
    parameter.name.remove_suffix(1);
    parameter.optional = true;
  }
  return parameter;
}

}  // namespace

Arguments::Arguments(const Builtin& builtin, const CallArgs& call) : name_(builtin.name), call_(call) {
  if (builtin.parameters != "*") bind(builtin.parameters);
}

void Arguments::bind(std::string_view parameters) {
  std::size_t count = 0;
  std::size_t named_used = 0;
  bool by_name_allowed = parameters.find('/') == std::string_view::npos;
  while (!parameters.empty()) {
    const Parameter parameter = next_parameter(parameters);
    if (parameter.name == "/") {
      by_name_allowed = true;
      continue;
    }
    const std::size_t index = count++;
    if (index < call_.positional.size()) bound_[index] = &call_.positional[index];
    for (const auto& [name, value] : call_.named) {
      if (!by_name_allowed || name != parameter.name) continue;
      if (bound_[index]) raise("{}() got multiple values for argument '{}'", name_, name);
      bound_[index] = &value;
      ++named_used;
    }
    if (!bound_[index] && !parameter.optional) raise("{}() misses the argument '{}'", name_, parameter.name);
  }
  if (call_.positional.size() > count) {
    raise("{}() takes {} arguments but {} were given", name_, count, call_.positional.size());
  }
  if (named_used < call_.named.size()) {
    raise("{}() got an unexpected keyword argument (given: '{}')", name_, call_.named.back().first);
  }
}

int64_t Arguments::integer(std::size_t index, int64_t otherwise) const {
  return has(index) ? to_index(*bound_[index]) : otherwise;
}

int64_t Arguments::integer(std::size_t index) const {
  return to_index(*bound_[index]);
}

bool Arguments::truth(Runtime& rt, std::size_t index, bool otherwise) const {
  return has(index) ? is_true(rt, *bound_[index]) : otherwise;
}

const String& Arguments::string(std::size_t index) const {
  return to_string_argument(*bound_[index]);
}

Value call_builtin(Runtime& rt, const Builtin& builtin, const CallArgs& call) {
  return builtin.function(rt, Arguments(builtin, call));
}

int64_t to_index(const Value& value) {
  const std::optional<Integer> integer = value.as_integral();
  if (!integer) {
    if (value.is_undefined()) raise("{}", value.undefined_message());
    raise("'{}' object cannot be interpreted as an integer", type_name(value));
  }
  const std::optional<int64_t> fitting = integer->to_int64();
  if (!fitting) raise("integer {} is too large for an index or a size", integer->to_string());
  return *fitting;
}

const String& to_string_argument(const Value& value) {
  const String* text = value.as_string();
  if (!text) raise("a str is needed here, not '{}'", type_name(value));
  return *text;
}

}  // namespace cistern::text::jinja
