// Walking over the operands of an expression, for the passes that look at names only (symbols.cc,
// resolver.cc).
#pragma once

#include "text/jinja/ast.h"

namespace cistern::text::jinja {

// Calls visit(ExprPtr&) (or const) for every operand that is there, from left to right.
template <class Visit>
void for_each_argument(CallArguments& arguments, Visit visit) {
  for (ExprPtr& argument : arguments.positional) visit(argument);
  for (auto& [name, argument] : arguments.named) visit(argument);
  if (arguments.spread) visit(arguments.spread);
  if (arguments.named_spread) visit(arguments.named_spread);
}

template <class Visit>
void for_each_operand(Expr& expr, Visit visit) {
  const auto visit_if_there = [&](ExprPtr& operand) {
    if (operand) visit(operand);
  };
  switch (expr.kind) {
    case ExprKind::kConstant:
    case ExprKind::kName:
    case ExprKind::kNamespaceRef:
      break;
    case ExprKind::kTuple:
    case ExprKind::kList:
    case ExprKind::kConcat:
      for (ExprPtr& item : static_cast<SequenceExpr&>(expr).items) visit(item);
      break;
    case ExprKind::kDict:
      for (auto& [key, value] : static_cast<DictExpr&>(expr).items) {
        visit(key);
        visit(value);
      }
      break;
    case ExprKind::kNot:
    case ExprKind::kNegate:
    case ExprKind::kPositive:
      visit(static_cast<UnaryExpr&>(expr).operand);
      break;
    case ExprKind::kBinary:
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      auto& binary = static_cast<BinaryExpr&>(expr);
      visit(binary.left);
      visit(binary.right);
      break;
    }
    case ExprKind::kCompare: {
      auto& compare = static_cast<CompareExpr&>(expr);
      visit(compare.first);
      for (auto& [comparison, operand] : compare.rest) visit(operand);
      break;
    }
    case ExprKind::kConditional: {
      auto& conditional = static_cast<ConditionalExpr&>(expr);
      visit(conditional.test);
      visit(conditional.then);
      visit_if_there(conditional.otherwise);
      break;
    }
    case ExprKind::kAttribute:
      visit(static_cast<AttributeExpr&>(expr).object);
      break;
    case ExprKind::kItem: {
      auto& item = static_cast<ItemExpr&>(expr);
      visit(item.object);
      visit(item.key);
      break;
    }
    case ExprKind::kSlice: {
      auto& slice = static_cast<SliceExpr&>(expr);
      visit(slice.object);
      visit_if_there(slice.start);
      visit_if_there(slice.stop);
      visit_if_there(slice.step);
      break;
    }
    case ExprKind::kCall: {
      auto& call = static_cast<CallExpr&>(expr);
      visit(call.callee);
      for_each_argument(call.arguments, visit);
      break;
    }
    case ExprKind::kFilter:
    case ExprKind::kTest: {
      auto& apply = static_cast<ApplyExpr&>(expr);
      visit_if_there(apply.value);
      for_each_argument(apply.arguments, visit);
      break;
    }
  }
}

}  // namespace cistern::text::jinja
