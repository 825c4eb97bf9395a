// {% for %}.
#include <utility>

#include "text/jinja/capture.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/iteration.h"
#include "text/jinja/macro.h"
#include "text/jinja/operators.h"

namespace cistern::text::jinja {

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

}  // namespace cistern::text::jinja
