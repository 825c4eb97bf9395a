// The statements of a template but loops (loops.cc), and macros.
#include <algorithm>

#include "text/jinja/capture.h"
#include "text/jinja/failure.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/macro.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"

namespace cistern::text::jinja {

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
