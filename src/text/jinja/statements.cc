// The statements of a template.
#include <algorithm>

#include "text/jinja/failure.h"
#include "text/jinja/globals.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/iteration.h"
#include "text/jinja/macro.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"

namespace cistern::text::jinja {

// Sends text to a string of its own for as long as it lives.
class Interpreter::Captured {
 public:
  explicit Captured(Interpreter& interpreter) : interpreter_(interpreter), outside_(interpreter.out_) {
    interpreter_.out_ = &text_;
  }
  Captured(const Captured&) = delete;
  ~Captured() { stop(); }

  Value take(bool markup) {
    stop();
    return interpreter_.rt_.string(std::move(text_), markup);
  }

 private:
  void stop() {
    if (interpreter_.out_ != &text_) return;
    interpreter_.out_ = outside_;
    interpreter_.rt_.release_output(text_.size());
  }

  Interpreter& interpreter_;
  std::string* outside_;
  std::string text_;
};

// Counts calls inside each other.
class Interpreter::CallDepth {
 public:
  explicit CallDepth(Interpreter& interpreter) : interpreter_(interpreter) {
    if (interpreter_.call_depth_ >= interpreter_.rt_.limits().max_call_depth) {
      raise("macros call each other too deeply (more than {} levels)",
            interpreter_.rt_.limits().max_call_depth);
    }
    ++interpreter_.call_depth_;
  }
  CallDepth(const CallDepth&) = delete;
  ~CallDepth() { --interpreter_.call_depth_; }

 private:
  Interpreter& interpreter_;
};

// The items of a loop that pass its test. The target is assigned to variables of the test's own and read
// back.
class Interpreter::LoopTest : public Iterator {
 public:
  LoopTest(Interpreter& interpreter, const ForStmt& stmt, std::shared_ptr<Iterator> items,
           const ActivationPtr& outer)
      : interpreter_(interpreter),
        stmt_(stmt),
        items_(std::move(items)),
        activation_(interpreter.activate(outer, stmt.test_slots)) {}

  bool next(Runtime& rt, Value& out) override {
    const Runtime::Depth depth(rt);
    if (!std::exchange(entered_, true)) interpreter_.enter(stmt_.test_loads, *activation_);
    for (Value item; items_->next(rt, item);) {
      interpreter_.assign(*stmt_.test_target, item, *activation_);
      if (is_true(rt, interpreter_.evaluate(*stmt_.test, *activation_))) {
        out = read_back(*stmt_.test_target);
        return true;
      }
    }
    return false;
  }

 private:
  Value read_back(const Expr& target) {
    if (target.kind == ExprKind::kName)
      return interpreter_.slot(static_cast<const NameExpr&>(target).slot, *activation_);
    std::vector<Value> items;
    for (const ExprPtr& item : static_cast<const SequenceExpr&>(target).items)
      items.push_back(read_back(*item));
    return interpreter_.rt_.tuple(std::move(items));
  }

  Interpreter& interpreter_;
  const ForStmt& stmt_;
  std::shared_ptr<Iterator> items_;
  ActivationPtr activation_;
  bool entered_ = false;
};

Interpreter::~Interpreter() {
  for (const ActivationPtr& activation : captured_) {
    for (Value& slot : activation->slots) slot = Value();
  }
}

std::string Interpreter::run() {
  std::string text;
  out_ = &text;
  const ActivationScope scope(activate(nullptr, program_.slots));
  enter(program_.loads, *scope.get());
  execute(program_.body, scope.get());
  return text;
}

ActivationPtr Interpreter::activate(const ActivationPtr& outer, int slots) {
  rt_.step();
  auto activation = std::make_shared<Activation>();
  activation->slots.resize(static_cast<std::size_t>(slots));
  activation->outer = outer;
  activation->depth = outer ? outer->depth + 1 : 0;
  return activation;
}

void Interpreter::capture(const ActivationPtr& activation) {
  if (!std::exchange(activation->captured, true)) captured_.push_back(activation);
}

void Interpreter::enter(const FrameLoads& loads, Activation& activation) {
  for (const SlotLoad& load : loads) {
    Value& target = activation.slots[static_cast<std::size_t>(load.index)];
    switch (load.action) {
      case SlotLoad::Action::kUndefined:
        target = Value();
        break;
      case SlotLoad::Action::kResolve:
        target = resolve(load.name);
        break;
      case SlotLoad::Action::kAlias:
        target = Value(slot(load.source, activation));
        break;
    }
  }
}

Value& Interpreter::slot(const Slot& slot, Activation& activation) const {
  Activation* holder = &activation;
  while (holder->depth != slot.function) holder = holder->outer.get();
  return holder->slots[static_cast<std::size_t>(slot.index)];
}

Value Interpreter::resolve(const std::string& name) {
  rt_.step();
  if (!exported_.empty()) {
    if (const auto found = exported_.find(name); found != exported_.end()) return found->second;
  }
  if (const Value* found = context_.find(std::string_view(name))) return *found;
  return find_global(rt_, name);
}

void Interpreter::assign(const Expr& target, const Value& value, Activation& activation) {
  switch (target.kind) {
    case ExprKind::kName:
      slot(static_cast<const NameExpr&>(target).slot, activation) = value;
      break;
    case ExprKind::kNamespaceRef: {
      const auto& ref = static_cast<const NamespaceRefExpr&>(target);
      auto* object = slot(ref.slot, activation).as<Namespace>();
      if (!object) raise("cannot assign attribute on non-namespace object");
      if (ref.attribute.starts_with('_')) {
        raise("a namespace cannot hold the attribute '{}': it begins with an underscore", ref.attribute);
      }
      object->set(rt_, ref.attribute, value);
      break;
    }
    default:
      unpack(static_cast<const SequenceExpr&>(target), value, activation);
  }
}

void Interpreter::unpack(const SequenceExpr& target, const Value& value, Activation& activation) {
  if (!is_iterable(value)) raise("cannot unpack non-iterable {} object", type_name(value));
  const std::shared_ptr<Iterator> iterator = iterate(rt_, value);
  std::vector<Value> items;
  for (Value item; items.size() <= target.items.size() && iterator->next(rt_, item);)
    items.push_back(std::move(item));
  if (items.size() > target.items.size())
    raise("too many values to unpack (expected {})", target.items.size());
  if (items.size() < target.items.size()) {
    raise("not enough values to unpack (expected {}, got {})", target.items.size(), items.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) assign(*target.items[i], items[i], activation);
}

void Interpreter::export_names(const Expr& target, Activation& activation) {
  if (target.kind == ExprKind::kName) {
    const auto& name = static_cast<const NameExpr&>(target);
    exported_[name.name] = slot(name.slot, activation);
  } else if (target.kind == ExprKind::kTuple) {
    for (const ExprPtr& item : static_cast<const SequenceExpr&>(target).items)
      export_names(*item, activation);
  }
}

void Interpreter::write(std::string_view text) {
  rt_.charge_output(text.size());
  rt_.work(text.size());
  out_->append(text);
}

void Interpreter::write_value(const Value& value, bool autoescape) {
  if (autoescape) {
    write(escape(rt_, value).as_string()->text);
  } else if (const String* text = value.as_string()) {
    write(text->text);
  } else {
    write(to_text(rt_, value));
  }
}

Interpreter::Flow Interpreter::execute(const Body& body, const ActivationPtr& activation) {
  for (const StmtPtr& stmt : body) {
    if (const Flow flow = execute(*stmt, activation); flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::execute(const Stmt& stmt, const ActivationPtr& activation) {
  const Runtime::Depth depth(rt_);
  rt_.step();
  rt_.line = stmt.line;
  switch (stmt.kind) {
    case StmtKind::kOutput:
      execute_output(static_cast<const OutputStmt&>(stmt), activation);
      break;
    case StmtKind::kIf:
      return execute_if(static_cast<const IfStmt&>(stmt), activation);
    case StmtKind::kFor:
      return execute_for(static_cast<const ForStmt&>(stmt), activation);
    case StmtKind::kMacro: {
      const auto& macro = static_cast<const MacroStmt&>(stmt);
      slot(macro.name->slot, *activation) = make_macro(macro.macro, &macro.name->name, activation);
      if (macro.exported) export_names(*macro.name, *activation);
      break;
    }
    case StmtKind::kCallBlock:
      execute_call_block(static_cast<const CallBlockStmt&>(stmt), activation);
      break;
    case StmtKind::kFilterBlock:
      return execute_filter_block(static_cast<const FilterBlockStmt&>(stmt), activation);
    case StmtKind::kAssign:
      execute_assign(static_cast<const AssignStmt&>(stmt), activation);
      break;
    case StmtKind::kAssignBlock:
      return execute_assign_block(static_cast<const AssignBlockStmt&>(stmt), activation);
    case StmtKind::kWith:
      return execute_with(static_cast<const WithStmt&>(stmt), activation);
    case StmtKind::kAutoescape:
      return execute_autoescape(static_cast<const AutoescapeStmt&>(stmt), activation);
    case StmtKind::kBlock:
      execute_block(static_cast<const BlockStmt&>(stmt));
      break;
    case StmtKind::kBreak:
      return Flow::kBreak;
    case StmtKind::kContinue:
      return Flow::kContinue;
    case StmtKind::kLoad:
      raise("'{}' is not supported: a chat template stands alone", static_cast<const LoadStmt&>(stmt).tag);
  }
  return Flow::kNormal;
}

void Interpreter::execute_output(const OutputStmt& stmt, const ActivationPtr& activation) {
  for (const OutputStmt::Part& part : stmt.parts) {
    if (part.expr) {
      write_value(evaluate(*part.expr, *activation), stmt.autoescape);
    } else {
      write(part.text);
    }
  }
}

Interpreter::Flow Interpreter::execute_if(const IfStmt& stmt, const ActivationPtr& activation) {
  for (const IfStmt::Branch& branch : stmt.branches) {
    if (is_true(rt_, evaluate(*branch.test, *activation))) return execute(branch.body, activation);
  }
  return execute(stmt.otherwise, activation);
}

Interpreter::Flow Interpreter::execute_for(const ForStmt& stmt, const ActivationPtr& activation) {
  const Value iterable = evaluate(*stmt.iterable, *activation);
  if (!stmt.recursive) return run_loop(stmt, iterable, activation, activation, 0);
  write(run_recursive_loop(stmt, iterable, activation, 0).as_string()->text);
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run_loop(const ForStmt& stmt, const Value& iterable,
                                        const ActivationPtr& outer, const ActivationPtr& activation,
                                        int depth0) {
  std::shared_ptr<Iterator> iterator = iterate(rt_, iterable);
  Value source = iterable;
  if (stmt.test) {
    if (stmt.uses_loop) capture(outer);  // `loop` may be stored, and ask the test for more items later
    iterator = std::make_shared<LoopTest>(*this, stmt, std::move(iterator), outer);
    source = Value(iterator);
  }
  std::shared_ptr<LoopContext> loop;
  if (stmt.uses_loop) {
    std::optional<LoopContext::Recursion> recursion;
    if (stmt.recursive) recursion.emplace(LoopContext::Recursion{*this, stmt, outer});
    loop = rt_.object<LoopContext>(std::move(source), iterator, std::move(recursion), depth0);
  }
  bool completed = false;  // as in Jinja, a round left by break or continue does not keep the else part away
  Flow flow = Flow::kNormal;
  for (Value item; loop ? loop->next(rt_, item) : iterator->next(rt_, item);) {
    rt_.step();
    assign(*stmt.target, item, *activation);
    if (loop) slot(stmt.loop, *activation) = Value(loop);
    enter(stmt.body_loads, *activation);
    flow = execute(stmt.body, activation);
    if (flow == Flow::kBreak) break;
    if (flow == Flow::kNormal) completed = true;
  }
  if (completed || stmt.otherwise.empty()) return Flow::kNormal;
  enter(stmt.otherwise_loads, *activation);
  return execute(stmt.otherwise, activation);
}

Value Interpreter::run_recursive_loop(const ForStmt& stmt, const Value& iterable, const ActivationPtr& outer,
                                      int depth0) {
  const CallDepth depth(*this);
  const int line = rt_.line;
  Captured captured(*this);
  const ActivationScope scope(activate(outer, stmt.body_slots));
  run_loop(stmt, iterable, outer, scope.get(), depth0);
  rt_.line = line;
  return captured.take(stmt.autoescape);
}

Interpreter::Flow Interpreter::execute_filter_block(const FilterBlockStmt& stmt,
                                                    const ActivationPtr& activation) {
  enter(stmt.loads, *activation);
  Captured captured(*this);
  if (const Flow flow = execute(stmt.body, activation); flow != Flow::kNormal) return flow;
  const Value text = captured.take(stmt.autoescape);
  const Value result = evaluate_apply(static_cast<const ApplyExpr&>(*stmt.filter), *activation, &text);
  if (!result.is_string()) raise("a filter block must give a str, not '{}'", type_name(result));
  write(result.as_string()->text);
  return Flow::kNormal;
}

void Interpreter::execute_assign(const AssignStmt& stmt, const ActivationPtr& activation) {
  // Jinja looks at the targets before it evaluates the value.
  if (stmt.target->kind == ExprKind::kNamespaceRef &&
      !slot(static_cast<const NamespaceRefExpr&>(*stmt.target).slot, *activation).as<Namespace>()) {
    raise("cannot assign attribute on non-namespace object");
  }
  assign(*stmt.target, evaluate(*stmt.value, *activation), *activation);
  if (stmt.exported) export_names(*stmt.target, *activation);
}

Interpreter::Flow Interpreter::execute_assign_block(const AssignBlockStmt& stmt,
                                                    const ActivationPtr& activation) {
  enter(stmt.loads, *activation);
  Captured captured(*this);
  if (const Flow flow = execute(stmt.body, activation); flow != Flow::kNormal) return flow;
  Value value = captured.take(false);
  if (stmt.filter) value = evaluate_apply(static_cast<const ApplyExpr&>(*stmt.filter), *activation, &value);
  if (rt_.autoescape) value = rt_.string(to_text(rt_, value), true);
  assign(*stmt.target, value, *activation);
  if (stmt.exported) export_names(*stmt.target, *activation);
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::execute_with(const WithStmt& stmt, const ActivationPtr& activation) {
  enter(stmt.loads, *activation);
  for (const auto& [target, value] : stmt.assignments)
    assign(*target, evaluate(*value, *activation), *activation);
  return execute(stmt.body, activation);
}

Interpreter::Flow Interpreter::execute_autoescape(const AutoescapeStmt& stmt,
                                                  const ActivationPtr& activation) {
  enter(stmt.loads, *activation);
  const bool before = std::exchange(rt_.autoescape, stmt.on);
  const Flow flow = execute(stmt.body, activation);
  // As in Jinja, leaving by break or continue keeps the setting.
  if (flow == Flow::kNormal) rt_.autoescape = before;
  return flow;
}

void Interpreter::execute_block(const BlockStmt& stmt) {
  if (stmt.required) raise("Required block '{}' not found", stmt.name);
  const CallDepth depth(*this);
  const ActivationScope scope(activate(nullptr, stmt.slots));
  enter(stmt.loads, *scope.get());
  execute(stmt.body, scope.get());
}

void Interpreter::execute_call_block(const CallBlockStmt& stmt, const ActivationPtr& activation) {
  const Value caller(make_macro(stmt.macro, nullptr, activation));
  Value result;
  if (stmt.call) {
    result = evaluate_call(*stmt.call, *activation, &caller);
  } else {
    CallArgs none;
    result = caller.as_object()->call(rt_, none);
  }
  if (!result.is_string()) raise("a call block must give a str, not '{}'", type_name(result));
  write(result.as_string()->text);
}

std::shared_ptr<Object> Interpreter::make_macro(const MacroBody& body, const std::string* name,
                                                const ActivationPtr& activation) {
  capture(activation);
  return rt_.object<Macro>(*this, body, name, activation);
}

// `arguments`: one value for each parameter (missing where none was given), then the caller when the body
// uses it.
Value Interpreter::run_macro(const MacroBody& body, std::vector<Value> arguments, CallArgs& call,
                             const ActivationPtr& closure) {
  const Runtime::Depth frames(rt_);
  const CallDepth depth(*this);
  const int line = rt_.line;
  const bool autoescape = rt_.autoescape;
  Captured captured(*this);
  const ActivationScope scope(activate(closure, body.slots));
  const ActivationPtr& activation = scope.get();
  const auto own = [&](int index) -> Value& { return activation->slots[static_cast<std::size_t>(index)]; };
  const std::size_t count = body.parameters.size();
  for (std::size_t i = 0; i < count; ++i) own(body.parameters[i]->slot.index) = std::move(arguments[i]);
  if (body.caller >= 0) own(body.caller) = std::move(arguments[count]);
  if (body.kwargs >= 0) {
    std::vector<Dict::Entry> entries;
    for (auto& [name, value] : call.named) entries.emplace_back(rt_.string(name), std::move(value));
    own(body.kwargs) = rt_.dict(std::move(entries));
  }
  if (body.varargs >= 0) {
    const std::size_t used = std::min(count, call.positional.size());
    own(body.varargs) =
        rt_.tuple({call.positional.begin() + static_cast<std::ptrdiff_t>(used), call.positional.end()});
  }
  enter(body.loads, *activation);
  for (std::size_t i = 0; i < count; ++i) {
    Value& parameter = own(body.parameters[i]->slot.index);
    if (!parameter.is_missing()) continue;
    const std::size_t without_default = count - body.defaults.size();
    // Evaluated first: the slots may not be referred to while an expression runs.
    Value value =
        i < without_default
            ? Value::undefined(fmt::format("parameter '{}' was not provided", body.parameters[i]->name))
            : evaluate(*body.defaults[i - without_default], *activation);
    own(body.parameters[i]->slot.index) = std::move(value);
  }
  execute(body.body, activation);
  rt_.line = line;
  return captured.take(autoescape);
}

}  // namespace cistern::text::jinja
