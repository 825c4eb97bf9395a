#include "text/jinja/symbols.h"

#include <algorithm>

#include "text/jinja/tree_walk.h"

namespace cistern::text::jinja {

Slot Symbols::define(const std::string& name, Load load) {
  const Slot slot{function_->depth, function_->slot_of(level_, name)};
  refs_[name] = slot;
  loads_[slot.index] = std::move(load);
  return slot;
}

const Slot* Symbols::find(const std::string& name) const {
  for (const Symbols* scope = this; scope; scope = scope->base_ ? scope->base_ : scope->parent_) {
    if (const auto found = scope->refs_.find(name); found != scope->refs_.end()) return &found->second;
  }
  return nullptr;
}

bool Symbols::has_own(const std::string& name) const {
  for (const Symbols* scope = this; scope; scope = scope->base_) {
    if (scope->refs_.contains(name)) return true;
  }
  return false;
}

bool Symbols::has_stored(const std::string& name) const {
  for (const Symbols* scope = this; scope; scope = scope->base_) {
    if (scope->stores_.contains(name)) return true;
  }
  return false;
}

Symbols Symbols::branch() {
  Symbols branch(parent_, function_);
  branch.base_ = this;
  return branch;
}

void Symbols::load(const std::string& name) {
  if (!find(name)) define(name, {Load::Action::kResolve, name, {}});
}

void Symbols::store(const std::string& name) {
  stores_.insert(name);
  if (has_own(name)) return;
  // A scope that assigns a name of an outer scope begins with the outer value; the outer one stays as it is.
  const Slot* outer = parent_ ? parent_->find(name) : nullptr;
  define(name, outer ? Load{Load::Action::kAlias, {}, *outer} : Load{Load::Action::kUndefined, {}, {}});
}

Slot Symbols::declare_parameter(const std::string& name) {
  stores_.insert(name);
  return define(name, {Load::Action::kParameter, {}, {}});
}

void Symbols::merge_branches(const std::vector<Symbols>& branches) {
  std::set<std::string> stored;
  for (const Symbols& branch : branches) stored.insert(branch.stores_.begin(), branch.stores_.end());
  std::erase_if(stored, [this](const std::string& name) { return has_stored(name); });
  for (const Symbols& branch : branches) {
    for (const auto& [name, slot] : branch.refs_) refs_[name] = slot;
    for (const auto& [slot, load] : branch.loads_) loads_[slot] = load;
    stores_.insert(branch.stores_.begin(), branch.stores_.end());
  }
  // Assigned in some branches only: in the others it keeps the value from outside.
  for (const std::string& name : stored) {
    const Slot* outer = parent_ ? parent_->find(name) : nullptr;
    loads_[find(name)->index] =
        outer ? Load{Load::Action::kAlias, {}, *outer} : Load{Load::Action::kResolve, name, {}};
  }
}

FrameLoads Symbols::loads() const {
  FrameLoads loads;
  for (const auto& [slot, load] : loads_) {
    switch (load.action) {
      case Load::Action::kParameter:
        break;
      case Load::Action::kUndefined:
        loads.push_back({SlotLoad::Action::kUndefined, slot, {}, {}});
        break;
      case Load::Action::kResolve:
        loads.push_back({SlotLoad::Action::kResolve, slot, load.name, {}});
        break;
      case Load::Action::kAlias:
        loads.push_back({SlotLoad::Action::kAlias, slot, {}, load.source});
        break;
    }
  }
  return loads;
}

void Symbols::visit(const ExprPtr& expr) {
  if (!expr) return;
  if (expr->kind == ExprKind::kName) load(static_cast<const NameExpr&>(*expr).name);
  for_each_operand(*expr, [this](const ExprPtr& operand) { visit(operand); });
}

void Symbols::visit_target(Expr& target, bool as_parameter) {
  if (target.kind == ExprKind::kName) {
    const std::string& name = static_cast<const NameExpr&>(target).name;
    if (as_parameter) {
      declare_parameter(name);
    } else {
      store(name);
    }
  } else if (target.kind == ExprKind::kNamespaceRef) {
    load(static_cast<const NamespaceRefExpr&>(target).name);
  } else {
    for (const ExprPtr& item : static_cast<const SequenceExpr&>(target).items)
      visit_target(*item, as_parameter);
  }
}

void Symbols::visit(Body& body) {
  for (const StmtPtr& stmt : body) visit(*stmt);
}

void Symbols::visit(Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::kOutput:
      for (const auto& part : static_cast<OutputStmt&>(stmt).parts) visit(part.expr);
      break;
    case StmtKind::kIf: {
      auto& branches = static_cast<IfStmt&>(stmt).branches;
      visit(branches[0].test);
      // The first body, all elifs together and the else each see the scope as it is now.
      std::vector<Symbols> ways(3, branch());
      ways[0].visit(branches[0].body);
      for (std::size_t i = 1; i < branches.size(); ++i) {
        ways[1].visit(branches[i].test);
        std::vector<Symbols> elif (1, ways[1].branch());
        elif[0].visit(branches[i].body);
        ways[1].merge_branches(elif);
      }
      ways[2].visit(static_cast<IfStmt&>(stmt).otherwise);
      merge_branches(ways);
      break;
    }
    case StmtKind::kFor:
      visit(static_cast<ForStmt&>(stmt).iterable);
      break;
    case StmtKind::kMacro:
      store(static_cast<MacroStmt&>(stmt).name->name);
      break;
    case StmtKind::kCallBlock:
      if (const auto& call = static_cast<CallBlockStmt&>(stmt).call) {
        visit(call->callee);
        for_each_argument(call->arguments, [this](const ExprPtr& argument) { visit(argument); });
      }
      break;
    case StmtKind::kFilterBlock:
      visit(static_cast<FilterBlockStmt&>(stmt).filter);
      break;
    case StmtKind::kAssign: {
      auto& assign = static_cast<AssignStmt&>(stmt);
      visit(assign.value);
      visit_target(*assign.target, false);
      break;
    }
    case StmtKind::kAssignBlock:
      visit_target(*static_cast<AssignBlockStmt&>(stmt).target, false);
      break;
    case StmtKind::kWith:
      for (const auto& [target, value] : static_cast<WithStmt&>(stmt).assignments) visit(value);
      break;
    case StmtKind::kLoad: {
      auto& load_stmt = static_cast<LoadStmt&>(stmt);
      visit(load_stmt.source);
      for (const auto& name : load_stmt.stores) store(name->name);
      break;
    }
    case StmtKind::kAutoescape:
    case StmtKind::kBlock:
    case StmtKind::kBreak:
    case StmtKind::kContinue:
      break;
  }
}

namespace {

// Looks for reads of certain names in the order of the text.
class UndeclaredFinder {
 public:
  explicit UndeclaredFinder(std::set<std::string> names) : names_(std::move(names)) {}
  std::set<std::string> take() { return std::move(found_); }

  void visit(Body& body) {
    for (const StmtPtr& stmt : body) visit(*stmt);
  }

 private:
  void read(const std::string& name) {
    if (names_.contains(name)) found_.insert(name);
  }
  void assign(const std::string& name) { names_.erase(name); }

  void visit(const ExprPtr& expr) {
    if (!expr) return;
    if (expr->kind == ExprKind::kName) read(static_cast<const NameExpr&>(*expr).name);
    for_each_operand(*expr, [this](const ExprPtr& operand) { visit(operand); });
  }

  void visit_target(const ExprPtr& target) {
    if (target->kind == ExprKind::kName) assign(static_cast<const NameExpr&>(*target).name);
    if (target->kind == ExprKind::kTuple) {
      for (const ExprPtr& item : static_cast<const SequenceExpr&>(*target).items) visit_target(item);
    }
  }

  void visit(MacroBody& macro) {
    for (const auto& parameter : macro.parameters) assign(parameter->name);
    for (const ExprPtr& value : macro.defaults) visit(value);
    visit(macro.body);
  }

  void visit(Stmt& stmt) {
    switch (stmt.kind) {
      case StmtKind::kOutput:
        for (const auto& part : static_cast<OutputStmt&>(stmt).parts) visit(part.expr);
        break;
      case StmtKind::kIf: {
        auto& branches = static_cast<IfStmt&>(stmt).branches;
        for (auto& branch : branches) {
          visit(branch.test);
          visit(branch.body);
        }
        visit(static_cast<IfStmt&>(stmt).otherwise);
        break;
      }
      case StmtKind::kFor: {
        auto& loop = static_cast<ForStmt&>(stmt);
        visit_target(loop.target);
        visit(loop.iterable);
        visit(loop.body);
        visit(loop.otherwise);
        visit(loop.test);
        break;
      }
      case StmtKind::kMacro:
        visit(static_cast<MacroStmt&>(stmt).macro);
        break;
      case StmtKind::kCallBlock: {
        auto& block = static_cast<CallBlockStmt&>(stmt);
        if (block.call) {
          visit(block.call->callee);
          for_each_argument(block.call->arguments, [this](const ExprPtr& argument) { visit(argument); });
        }
        visit(block.macro);
        break;
      }
      case StmtKind::kFilterBlock:
        visit(static_cast<FilterBlockStmt&>(stmt).body);
        visit(static_cast<FilterBlockStmt&>(stmt).filter);
        break;
      case StmtKind::kAssign:
        visit_target(static_cast<AssignStmt&>(stmt).target);
        visit(static_cast<AssignStmt&>(stmt).value);
        break;
      case StmtKind::kAssignBlock:
        visit_target(static_cast<AssignBlockStmt&>(stmt).target);
        visit(static_cast<AssignBlockStmt&>(stmt).filter);
        visit(static_cast<AssignBlockStmt&>(stmt).body);
        break;
      case StmtKind::kWith: {
        auto& with = static_cast<WithStmt&>(stmt);
        for (const auto& [target, value] : with.assignments) visit_target(target);
        for (const auto& [target, value] : with.assignments) visit(value);
        visit(with.body);
        break;
      }
      case StmtKind::kAutoescape:
        visit(static_cast<AutoescapeStmt&>(stmt).body);
        break;
      case StmtKind::kLoad:
        visit(static_cast<LoadStmt&>(stmt).source);
        break;
      case StmtKind::kBlock:
      case StmtKind::kBreak:
      case StmtKind::kContinue:
        break;
    }
  }

  std::set<std::string> names_;
  std::set<std::string> found_;
};

}  // namespace

std::set<std::string> find_undeclared(Body& body, std::set<std::string> names) {
  UndeclaredFinder finder(std::move(names));
  finder.visit(body);
  return finder.take();
}

}  // namespace cistern::text::jinja
