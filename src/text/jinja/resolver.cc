#include "text/jinja/resolver.h"

#include <algorithm>
#include <optional>
#include <set>

#include "text/jinja/failure.h"
#include "text/jinja/symbols.h"
#include "text/jinja/tree_walk.h"

namespace cistern::text::jinja {
namespace {

bool is_constant(Expr& expr) {
  bool constant = expr.kind != ExprKind::kName && expr.kind != ExprKind::kCall;
  for_each_operand(expr, [&](const ExprPtr& operand) { constant = constant && is_constant(*operand); });
  return constant;
}

// What a statement or expression may assume about its surroundings.
struct Scope {
  Symbols* symbols;
  bool soft = false;      // inside a condition: unknown filters are an error only when reached
  bool toplevel = false;  // not inside a loop, macro, block, ...
  bool in_loop = false;   // break and continue are allowed
  bool autoescape = false;

  Scope inner(Symbols& inner_symbols) const { return {&inner_symbols, false, false, in_loop, autoescape}; }
  Scope function(Symbols& inner_symbols) const { return {&inner_symbols, false, false, false, autoescape}; }
};

class Resolver {
 public:
  void run(Program& program) {
    FunctionScope function;
    Symbols symbols(nullptr, &function);
    symbols.visit(program.body);
    resolve(program.body, {.symbols = &symbols, .toplevel = true});
    program.loads = loads_of(symbols, 1);
    program.slots = static_cast<int>(function.slots.size());
  }

 private:
  static FrameLoads loads_of(const Symbols& symbols, int line) {
    FrameLoads loads = symbols.loads();
    for (const SlotLoad& load : loads) {
      if (load.action == SlotLoad::Action::kResolve && load.name == "self") {
        raise_at(line, "the variable 'self' of templates with blocks is not supported");
      }
    }
    return loads;
  }

  void resolve(Body& body, const Scope& scope) {
    for (const StmtPtr& stmt : body) resolve(*stmt, scope);
  }

  void resolve(const ExprPtr& expr, const Scope& scope) {
    if (expr) resolve(*expr, scope);
  }

  Slot find(const std::string& name, int line, const Scope& scope) {
    const Slot* slot = scope.symbols->find(name);
    if (!slot) raise_at(line, "the variable '{}' cannot be used here", name);
    return *slot;
  }

  void resolve(Expr& expr, const Scope& scope) {
    switch (expr.kind) {
      case ExprKind::kName: {
        auto& name = static_cast<NameExpr&>(expr);
        name.slot = find(name.name, name.line, scope);
        return;
      }
      case ExprKind::kNamespaceRef: {
        auto& ref = static_cast<NamespaceRefExpr&>(expr);
        ref.slot = find(ref.name, ref.line, scope);
        return;
      }
      case ExprKind::kFilter:
      case ExprKind::kTest: {
        const auto& apply = static_cast<const ApplyExpr&>(expr);
        const std::string_view kind = expr.kind == ExprKind::kFilter ? "filter" : "test";
        if (!apply.builtin && !scope.soft) raise_at(apply.line, "No {} named '{}'.", kind, apply.name);
        break;
      }
      // Jinja joins constants while compiling, and then without regard to markup.
      case ExprKind::kConcat:
        static_cast<SequenceExpr&>(expr).autoescape = scope.autoescape && !is_constant(expr);
        break;
      default:
        break;
    }
    Scope inner = scope;
    inner.soft |= expr.kind == ExprKind::kConditional;
    for_each_operand(expr, [&](const ExprPtr& operand) { resolve(*operand, inner); });
  }

  void resolve(Stmt& stmt, const Scope& scope) {
    switch (stmt.kind) {
      case StmtKind::kOutput: {
        auto& output = static_cast<OutputStmt&>(stmt);
        output.autoescape = scope.autoescape;
        for (const auto& part : output.parts) resolve(part.expr, scope);
        break;
      }
      case StmtKind::kIf:
        resolve_if(static_cast<IfStmt&>(stmt), scope);
        break;
      case StmtKind::kFor:
        resolve_for(static_cast<ForStmt&>(stmt), scope);
        break;
      case StmtKind::kMacro: {
        auto& macro = static_cast<MacroStmt&>(stmt);
        macro.name->slot = find(macro.name->name, macro.line, scope);
        macro.exported = scope.toplevel;
        resolve_macro(macro.macro, macro.line, scope);
        break;
      }
      case StmtKind::kCallBlock: {
        auto& block = static_cast<CallBlockStmt&>(stmt);
        resolve_macro(block.macro, block.line, scope);
        if (block.call) resolve(*block.call, scope);
        break;
      }
      case StmtKind::kFilterBlock:
        resolve_filter_block(static_cast<FilterBlockStmt&>(stmt), scope);
        break;
      case StmtKind::kAssign: {
        auto& assign = static_cast<AssignStmt&>(stmt);
        assign.exported = scope.toplevel;
        resolve(assign.target, scope);
        resolve(assign.value, scope);
        break;
      }
      case StmtKind::kAssignBlock:
        resolve_assign_block(static_cast<AssignBlockStmt&>(stmt), scope);
        break;
      case StmtKind::kWith:
        resolve_with(static_cast<WithStmt&>(stmt), scope);
        break;
      case StmtKind::kAutoescape:
        resolve_autoescape(static_cast<AutoescapeStmt&>(stmt), scope);
        break;
      case StmtKind::kBlock:
        resolve_block(static_cast<BlockStmt&>(stmt));
        break;
      case StmtKind::kBreak:
      case StmtKind::kContinue:
        if (!scope.in_loop) raise_at(stmt.line, "break and continue are allowed inside of loops only");
        break;
      case StmtKind::kLoad: {
        const auto& load = static_cast<const LoadStmt&>(stmt);
        if (load.tag == "extends" && !scope.toplevel)
          raise_at(stmt.line, "cannot use extend from a non top-level scope");
        resolve(load.source, scope);
        break;
      }
    }
  }

  void resolve_if(IfStmt& stmt, const Scope& scope) {
    Scope soft = scope;
    soft.soft = true;
    for (auto& branch : stmt.branches) {
      resolve(branch.test, soft);
      resolve(branch.body, soft);
    }
    resolve(stmt.otherwise, soft);
  }

  void resolve_for(ForStmt& stmt, const Scope& scope) {
    refuse_loop_as_target(stmt);
    FunctionScope* outer = scope.symbols->function();
    FunctionScope own{outer->depth + 1, {}};
    FunctionScope* function = stmt.recursive ? &own : outer;
    stmt.autoescape = scope.autoescape;
    stmt.uses_loop = stmt.recursive || find_undeclared(stmt.body, {"loop"}).contains("loop");

    Symbols body(scope.symbols, function);
    if (stmt.uses_loop) stmt.loop = body.declare_parameter("loop");
    body.visit_target(*stmt.target, true);
    body.visit(stmt.body);
    Symbols otherwise(scope.symbols, function);
    otherwise.visit(stmt.otherwise);

    resolve(stmt.iterable, scope);
    if (stmt.test) resolve_for_test(stmt, scope);
    Scope body_scope = scope.inner(body);
    body_scope.in_loop = true;
    resolve(stmt.target, body_scope);
    resolve(stmt.body, body_scope);
    Scope otherwise_scope = scope.inner(otherwise);
    otherwise_scope.in_loop = scope.in_loop && !stmt.recursive;
    resolve(stmt.otherwise, otherwise_scope);
    stmt.body_loads = loads_of(body, stmt.line);
    stmt.otherwise_loads = loads_of(otherwise, stmt.line);
    if (stmt.recursive) stmt.body_slots = static_cast<int>(own.slots.size());
  }

  // The test runs while the loop does, on variables of its own.
  void resolve_for_test(ForStmt& stmt, const Scope& scope) {
    FunctionScope function{scope.symbols->function()->depth + 1, {}};
    Symbols symbols(scope.symbols, &function);
    symbols.visit_target(*stmt.test_target, true);
    symbols.visit(stmt.test);
    const Scope test_scope = scope.function(symbols);
    resolve(stmt.test_target, test_scope);
    resolve(stmt.test, test_scope);
    stmt.test_loads = loads_of(symbols, stmt.line);
    stmt.test_slots = static_cast<int>(function.slots.size());
  }

  void resolve_macro(MacroBody& macro, int line, const Scope& scope) {
    FunctionScope function{scope.symbols->function()->depth + 1, {}};
    Symbols symbols(scope.symbols, &function);
    for (const auto& parameter : macro.parameters) symbols.declare_parameter(parameter->name);
    for (const ExprPtr& value : macro.defaults) symbols.visit(value);
    symbols.visit(macro.body);

    const auto parameter_index = [&](std::string_view name) -> std::optional<std::size_t> {
      for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
        if (macro.parameters[i]->name == name) return i;
      }
      return std::nullopt;
    };
    const std::set<std::string> specials = find_undeclared(macro.body, {"caller", "kwargs", "varargs"});
    if (specials.contains("caller")) {
      const auto index = parameter_index("caller");
      if (!index) {
        macro.caller = symbols.declare_parameter("caller").index;
      } else if (*index + macro.defaults.size() < macro.parameters.size()) {
        raise_at(line, "the special argument 'caller' of a macro must be omitted or be given a default");
      } else {
        macro.caller_is_parameter = true;
      }
    }
    if (specials.contains("kwargs") && !parameter_index("kwargs"))
      macro.kwargs = symbols.declare_parameter("kwargs").index;
    if (specials.contains("varargs") && !parameter_index("varargs")) {
      macro.varargs = symbols.declare_parameter("varargs").index;
    }

    const Scope macro_scope = scope.function(symbols);
    for (const auto& parameter : macro.parameters) resolve(*parameter, macro_scope);
    for (const ExprPtr& value : macro.defaults) resolve(value, macro_scope);
    resolve(macro.body, macro_scope);
    macro.loads = loads_of(symbols, line);
    macro.slots = static_cast<int>(function.slots.size());
  }

  void resolve_filter_block(FilterBlockStmt& stmt, const Scope& scope) {
    Symbols symbols(scope.symbols, scope.symbols->function());
    symbols.visit(stmt.body);
    symbols.visit(stmt.filter);
    const Scope inner = scope.inner(symbols);
    stmt.autoescape = scope.autoescape;
    resolve(stmt.filter, inner);
    resolve(stmt.body, inner);
    stmt.loads = loads_of(symbols, stmt.line);
  }

  void resolve_assign_block(AssignBlockStmt& stmt, const Scope& scope) {
    Symbols symbols(scope.symbols, scope.symbols->function());
    symbols.visit(stmt.body);
    const Scope inner = scope.inner(symbols);
    stmt.exported = scope.toplevel;
    resolve(stmt.target, scope);
    resolve(stmt.filter, inner);
    resolve(stmt.body, inner);
    stmt.loads = loads_of(symbols, stmt.line);
  }

  void resolve_with(WithStmt& stmt, const Scope& scope) {
    Symbols symbols(scope.symbols, scope.symbols->function());
    for (const auto& [target, value] : stmt.assignments) symbols.visit_target(*target, true);
    symbols.visit(stmt.body);
    const Scope inner = scope.inner(symbols);
    for (const auto& [target, value] : stmt.assignments) {
      resolve(target, inner);
      resolve(value, scope);
    }
    resolve(stmt.body, inner);
    stmt.loads = loads_of(symbols, stmt.line);
  }

  void resolve_autoescape(AutoescapeStmt& stmt, const Scope& scope) {
    Symbols symbols(scope.symbols, scope.symbols->function());
    symbols.visit(stmt.body);
    Scope inner = scope.inner(symbols);
    inner.autoescape = stmt.on;
    resolve(stmt.body, inner);
    stmt.loads = loads_of(symbols, stmt.line);
  }

  // A block sees the context and what the top level has assigned, not the scopes around it.
  void resolve_block(BlockStmt& stmt) {
    if (!blocks_.insert(stmt.name).second) raise_at(stmt.line, "block '{}' defined twice", stmt.name);
    FunctionScope function;
    Symbols symbols(nullptr, &function);
    symbols.visit(stmt.body);
    resolve(stmt.body, {.symbols = &symbols});
    stmt.loads = loads_of(symbols, stmt.line);
    for (const SlotLoad& load : stmt.loads) {
      if (load.name == "super") raise_at(stmt.line, "super() is not supported: there is no parent template");
    }
    stmt.slots = static_cast<int>(function.slots.size());
  }

  // Jinja keeps `loop` for itself in the whole of a loop.
  static void refuse_loop_as_target(const ForStmt& stmt) {
    refuse_loop_in(*stmt.target, stmt.line);
    refuse_loop_in(stmt.body);
    refuse_loop_in(stmt.otherwise);
  }

  static void refuse_loop_in(const Expr& target, int line) {
    if (target.kind == ExprKind::kName && static_cast<const NameExpr&>(target).name == "loop") {
      raise_at(line, "Can't assign to special loop variable in for-loop");
    }
    if (target.kind != ExprKind::kTuple) return;
    for (const ExprPtr& item : static_cast<const SequenceExpr&>(target).items) refuse_loop_in(*item, line);
  }

  // Inner loops look after themselves.
  static void refuse_loop_in(const Body& body) {
    for (const StmtPtr& stmt : body) {
      switch (stmt->kind) {
        case StmtKind::kIf:
          for (const auto& branch : static_cast<const IfStmt&>(*stmt).branches) refuse_loop_in(branch.body);
          refuse_loop_in(static_cast<const IfStmt&>(*stmt).otherwise);
          break;
        case StmtKind::kMacro:
          refuse_loop_in(static_cast<const MacroStmt&>(*stmt).macro.body);
          break;
        case StmtKind::kCallBlock:
          refuse_loop_in(static_cast<const CallBlockStmt&>(*stmt).macro.body);
          break;
        case StmtKind::kFilterBlock:
          refuse_loop_in(static_cast<const FilterBlockStmt&>(*stmt).body);
          break;
        case StmtKind::kAssign:
          refuse_loop_in(*static_cast<const AssignStmt&>(*stmt).target, stmt->line);
          break;
        case StmtKind::kAssignBlock:
          refuse_loop_in(*static_cast<const AssignBlockStmt&>(*stmt).target, stmt->line);
          refuse_loop_in(static_cast<const AssignBlockStmt&>(*stmt).body);
          break;
        case StmtKind::kWith:
          refuse_loop_in(static_cast<const WithStmt&>(*stmt).body);
          break;
        case StmtKind::kAutoescape:
          refuse_loop_in(static_cast<const AutoescapeStmt&>(*stmt).body);
          break;
        case StmtKind::kBlock:
          refuse_loop_in(static_cast<const BlockStmt&>(*stmt).body);
          break;
        default:
          break;
      }
    }
  }

  std::set<std::string> blocks_;
};

}  // namespace

void resolve(Program& program) {
  Resolver().run(program);
}

}  // namespace cistern::text::jinja
