// Macros and loops as values: what a template can call, print and ask for attributes. Made by the
// interpreter, whose life they must not outlive (they are values of its render).
#pragma once

#include <optional>
#include <string>

#include "text/jinja/interpreter.h"
#include "text/jinja/objects.h"

namespace cistern::text::jinja {

// {% macro name(...) %}, or the body of {% call %} (without a name).
class Macro : public Object {
 public:
  Macro(Interpreter& interpreter, const MacroBody& body, const std::string* name, ActivationPtr closure)
      : interpreter_(interpreter), body_(body), name_(name), closure_(std::move(closure)) {}
  std::string_view type_name() const override { return "Macro"; }
  bool is_callable() const override { return true; }
  Value attribute(Runtime& rt, std::string_view name) override;
  Value call(Runtime& rt, CallArgs& args) override;
  std::string repr(Runtime& rt) override;

 private:
  std::string display_name() const { return name_ ? "'" + *name_ + "'" : "None"; }

  Interpreter& interpreter_;
  const MacroBody& body_;
  const std::string* name_;
  ActivationPtr closure_;
};

// The variable `loop`.
class LoopContext : public Object {
 public:
  struct Recursion {
    Interpreter& interpreter;
    const ForStmt& stmt;
    ActivationPtr outer;
  };
  LoopContext(Value iterable, std::shared_ptr<Iterator> iterator, std::optional<Recursion> recursion,
              int depth0)
      : iterable_(std::move(iterable)),
        iterator_(std::move(iterator)),
        recursion_(std::move(recursion)),
        depth0_(depth0) {}
  std::string_view type_name() const override { return "LoopContext"; }
  bool is_callable() const override { return true; }
  void clear() override;
  Value attribute(Runtime& rt, std::string_view name) override;
  std::optional<std::size_t> length(Runtime& rt) override;
  Value call(Runtime& rt, CallArgs& args) override;
  std::string repr(Runtime& rt) override;

  bool next(Runtime& rt, Value& out);
  bool changed(Runtime& rt, std::vector<Value> values);
  Value cycle(const std::vector<Value>& values) const;

 private:
  bool peek(Runtime& rt);

  Value iterable_;
  std::shared_ptr<Iterator> iterator_;
  std::optional<Recursion> recursion_;
  int depth0_;
  int64_t index0_ = -1;
  std::optional<std::size_t> length_;
  Value before_, current_, after_;  // missing where there is none
  std::optional<Value> last_changed_;
  bool kept_ = false;
};

}  // namespace cistern::text::jinja
