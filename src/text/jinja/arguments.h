// How built-ins (filters, tests, methods, global functions) are declared and how the arguments of a call
// reach them. A built-in is one row of a table: its name, its parameters and a function. Binding follows
// Python: positional first, then by name, with Python's errors for too many, unknown, doubled or missing
// ones.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/value.h"

namespace cistern::text::jinja {

class Runtime;

struct CallArgs {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  std::optional<Charge> charge;  // of arguments spread from a list
};

class Arguments;

struct Builtin {
  std::string_view name;
  // Names divided by blanks; "name?" may be left out; names before a "/" cannot be given by name; "*" alone:
  // the function takes the call as it stands (Arguments::call). Filters and tests have the value, methods the
  // object first.
  std::string_view parameters;
  Value (*function)(Runtime& rt, const Arguments& args);
};

class Arguments {
 public:
  static constexpr std::size_t kMaxParameters = 6;

  Arguments(const Builtin& builtin, const CallArgs& call);

  // REQUIRES: the parameter is not optional, or has(index).
  const Value& operator[](std::size_t index) const { return *bound_[index]; }
  bool has(std::size_t index) const { return bound_[index] != nullptr; }
  // Missing when left out.
  Value get(std::size_t index) const { return bound_[index] ? *bound_[index] : Value(); }
  const CallArgs& call() const { return call_; }
  std::string_view function_name() const { return name_; }

  // Conversions of an argument; a parameter that was left out gives `otherwise`.
  int64_t integer(std::size_t index, int64_t otherwise) const;
  bool truth(Runtime& rt, std::size_t index, bool otherwise) const;
  // REQUIRES: has(index). Raises unless it is an int (or bool), or a str.
  int64_t integer(std::size_t index) const;
  const String& string(std::size_t index) const;

 private:
  void bind(std::string_view parameters);

  std::string_view name_;
  const CallArgs& call_;
  std::array<const Value*, kMaxParameters> bound_{};
};

Value call_builtin(Runtime& rt, const Builtin& builtin, const CallArgs& call);

// An int (or bool) that fits 64 bits, or Python's error.
int64_t to_index(const Value& value);
// A str, or Python's error.
const String& to_string_argument(const Value& value);

// The row of a sorted-or-not table with this name, or null.
template <class Table>
const Builtin* find_builtin(const Table& table, std::string_view name) {
  for (const Builtin& row : table) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace cistern::text::jinja
