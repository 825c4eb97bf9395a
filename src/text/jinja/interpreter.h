// Runs a resolved template: statements write text, expressions give values. One Interpreter per render, made
// by Template::render; it holds the activations (variables of the template, its macros and loops) and refers
// to the tree, the context and the Runtime, which must outlive it. Raises Failure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

// The variables of one running function of the template.
struct Activation {
  std::vector<Value> slots;
  std::shared_ptr<Activation> outer;  // of the function around it in the text
  int depth = 0;
  bool captured = false;  // something that may outlive its function refers to it
};
using ActivationPtr = std::shared_ptr<Activation>;

// Empties the variables when their function ends, so that values which lead back to them do not live on;
// those of captured activations wait until the render ends.
class ActivationScope {
 public:
  explicit ActivationScope(ActivationPtr activation) : activation_(std::move(activation)) {}
  ActivationScope(const ActivationScope&) = delete;
  ~ActivationScope() {
    if (activation_->captured) return;
    for (Value& slot : activation_->slots) slot = Value();
  }
  const ActivationPtr& get() const { return activation_; }

 private:
  ActivationPtr activation_;
};

class Interpreter {
 public:
  Interpreter(Runtime& rt, const Program& program, const Dict& context)
      : rt_(rt), program_(program), context_(context) {}
  Interpreter(const Interpreter&) = delete;
  ~Interpreter();

  std::string run();

 private:
  friend class Macro;
  friend class LoopContext;
  class LoopTest;
  class Captured;
  class CallDepth;

  enum class Flow { kNormal, kBreak, kContinue };

  // Activations and variables (interpreter.cc).
  ActivationPtr activate(const ActivationPtr& outer, int slots);
  void capture(const ActivationPtr& activation);
  void enter(const FrameLoads& loads, Activation& activation);
  Value& slot(const Slot& slot, Activation& activation) const;
  Value resolve(const std::string& name);
  void assign(const Expr& target, const Value& value, Activation& activation);
  void unpack(const SequenceExpr& target, const Value& value, Activation& activation);
  void export_names(const Expr& target, Activation& activation);

  // Statements (statements.cc, loops.cc).
  Flow execute(const Body& body, const ActivationPtr& activation);
  Flow execute(const Stmt& stmt, const ActivationPtr& activation);
  void write(std::string_view text);
  void write_value(const Value& value, bool autoescape);
  void execute_output(const OutputStmt& stmt, const ActivationPtr& activation);
  Flow execute_if(const IfStmt& stmt, const ActivationPtr& activation);
  Flow execute_for(const ForStmt& stmt, const ActivationPtr& activation);
  Flow run_loop(const ForStmt& stmt, const Value& iterable, const ActivationPtr& outer,
                const ActivationPtr& activation, int depth0);
  Value run_recursive_loop(const ForStmt& stmt, const Value& iterable, const ActivationPtr& outer,
                           int depth0);
  Flow execute_filter_block(const FilterBlockStmt& stmt, const ActivationPtr& activation);
  void execute_assign(const AssignStmt& stmt, const ActivationPtr& activation);
  Flow execute_assign_block(const AssignBlockStmt& stmt, const ActivationPtr& activation);
  Flow execute_with(const WithStmt& stmt, const ActivationPtr& activation);
  Flow execute_autoescape(const AutoescapeStmt& stmt, const ActivationPtr& activation);
  void execute_block(const BlockStmt& stmt);
  void execute_call_block(const CallBlockStmt& stmt, const ActivationPtr& activation);
  std::shared_ptr<Object> make_macro(const MacroBody& body, const std::string* name,
                                     const ActivationPtr& activation);
  Value run_macro(const MacroBody& body, std::vector<Value> arguments, CallArgs& call,
                  const ActivationPtr& closure);

  // Expressions (expressions.cc).
  Value evaluate(const Expr& expr, Activation& activation);
  Value evaluate_name(const NameExpr& expr, Activation& activation);
  std::vector<Value> evaluate_all(const std::vector<ExprPtr>& exprs, Activation& activation);
  Value evaluate_dict(const DictExpr& expr, Activation& activation);
  Value evaluate_compare(const CompareExpr& expr, Activation& activation);
  Value evaluate_concat(const SequenceExpr& expr, Activation& activation);
  Value evaluate_conditional(const ConditionalExpr& expr, Activation& activation);
  Value evaluate_slice(const SliceExpr& expr, Activation& activation);
  Value evaluate_call(const CallExpr& expr, Activation& activation, const Value* caller);
  Value evaluate_apply(const ApplyExpr& expr, Activation& activation, const Value* block_text);
  void evaluate_arguments(const CallArguments& arguments, Activation& activation, CallArgs& call);

  Runtime& rt_;
  const Program& program_;
  const Dict& context_;
  std::map<std::string, Value, std::less<>> exported_;  // top-level variables, for blocks
  std::vector<ActivationPtr> captured_;                 // kept until the end
  std::string* out_ = nullptr;                          // where text goes now
  int call_depth_ = 0;
};

}  // namespace cistern::text::jinja
