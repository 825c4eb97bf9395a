// Which variables a scope of a template knows and how each gets its first value: the rules of Jinja's
// compiler, under which a name belongs to the innermost scope that assigns it, reads of other names go
// outwards, and the context is asked once when a scope is entered. Used by the resolver only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"

namespace cistern::text::jinja {

// What runs with an activation of its own: the template, a macro, a recursive loop, the test of a loop, a
// block.
struct FunctionScope {
  int depth = 0;
  std::map<std::pair<int, std::string>, int> slots;  // (level of the scope, name) -> slot

  int slot_of(int level, const std::string& name) {
    return slots.try_emplace({level, name}, static_cast<int>(slots.size())).first->second;
  }
};

class Symbols {
 public:
  Symbols(Symbols* parent, FunctionScope* function)
      : parent_(parent), function_(function), level_(parent ? parent->level_ + 1 : 0) {}

  void load(const std::string& name);               // the scope reads the name
  void store(const std::string& name);              // the scope assigns it
  Slot declare_parameter(const std::string& name);  // the scope gets it from outside
  // A branch of an if: the same scope, whose changes are kept apart until merge_branches.
  Symbols branch();
  void merge_branches(const std::vector<Symbols>& branches);

  const Slot* find(const std::string& name) const;
  FunctionScope* function() const { return function_; }
  FrameLoads loads() const;  // to be done when the scope is entered

  // Collect what statements of this scope read and assign; inner scopes are left out.
  void visit(Body& body);
  void visit(Stmt& stmt);
  void visit(const ExprPtr& expr);  // null: nothing
  void visit_target(Expr& target, bool as_parameter);

 private:
  struct Load {
    enum class Action { kParameter, kUndefined, kResolve, kAlias } action;
    std::string name;
    Slot source;
  };

  Slot define(const std::string& name, Load load);
  bool has_own(const std::string& name) const;
  bool has_stored(const std::string& name) const;

  Symbols* base_ = nullptr;  // of a branch: what the scope knew before it
  Symbols* parent_;
  FunctionScope* function_;
  int level_;
  std::map<std::string, Slot> refs_;
  std::map<int, Load> loads_;  // by slot
  std::set<std::string> stores_;
};

// Which of `names` are read in the statements before anything there assigns them; inner scopes count.
std::set<std::string> find_undeclared(Body& body, std::set<std::string> names);

}  // namespace cistern::text::jinja
