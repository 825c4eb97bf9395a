// The expressions of a template.
#include "text/jinja/access.h"
#include "text/jinja/failure.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"

namespace cistern::text::jinja {

Value Interpreter::evaluate(const Expr& expr, Activation& activation) {
  const Runtime::Depth depth(rt_);
  rt_.step();
  switch (expr.kind) {
    case ExprKind::kConstant:
      return static_cast<const ConstantExpr&>(expr).value;
    case ExprKind::kName:
      return evaluate_name(static_cast<const NameExpr&>(expr), activation);
    case ExprKind::kTuple:
      return rt_.tuple(evaluate_all(static_cast<const SequenceExpr&>(expr).items, activation));
    case ExprKind::kList:
      return rt_.list(evaluate_all(static_cast<const SequenceExpr&>(expr).items, activation));
    case ExprKind::kDict:
      return evaluate_dict(static_cast<const DictExpr&>(expr), activation);
    case ExprKind::kNot:
      return !is_true(rt_, evaluate(*static_cast<const UnaryExpr&>(expr).operand, activation));
    case ExprKind::kNegate:
      return negate(evaluate(*static_cast<const UnaryExpr&>(expr).operand, activation));
    case ExprKind::kPositive:
      return positive(evaluate(*static_cast<const UnaryExpr&>(expr).operand, activation));
    case ExprKind::kBinary: {
      const auto& binary = static_cast<const BinaryExpr&>(expr);
      const Value left = evaluate(*binary.left, activation);
      const Value right = evaluate(*binary.right, activation);
      rt_.line = expr.line;
      return apply(rt_, binary.op, left, right);
    }
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      const auto& binary = static_cast<const BinaryExpr&>(expr);
      Value left = evaluate(*binary.left, activation);
      return is_true(rt_, left) == (expr.kind == ExprKind::kOr) ? left : evaluate(*binary.right, activation);
    }
    case ExprKind::kCompare:
      return evaluate_compare(static_cast<const CompareExpr&>(expr), activation);
    case ExprKind::kConcat:
      return evaluate_concat(static_cast<const SequenceExpr&>(expr), activation);
    case ExprKind::kConditional:
      return evaluate_conditional(static_cast<const ConditionalExpr&>(expr), activation);
    case ExprKind::kAttribute: {
      const auto& attribute = static_cast<const AttributeExpr&>(expr);
      const Value object = evaluate(*attribute.object, activation);
      rt_.line = expr.line;
      return get_attribute(rt_, object, attribute.name);
    }
    case ExprKind::kItem: {
      const auto& item = static_cast<const ItemExpr&>(expr);
      const Value object = evaluate(*item.object, activation);
      const Value key = evaluate(*item.key, activation);
      rt_.line = expr.line;
      return get_item(rt_, object, key);
    }
    case ExprKind::kSlice:
      return evaluate_slice(static_cast<const SliceExpr&>(expr), activation);
    case ExprKind::kCall:
      return evaluate_call(static_cast<const CallExpr&>(expr), activation, nullptr);
    case ExprKind::kFilter:
    case ExprKind::kTest:
      return evaluate_apply(static_cast<const ApplyExpr&>(expr), activation, nullptr);
    case ExprKind::kNamespaceRef:
      break;  // a target only
  }
  return Value();
}

Value Interpreter::evaluate_name(const NameExpr& expr, Activation& activation) {
  const Value& value = slot(expr.slot, activation);
  return value.is_missing() ? Value::undefined(fmt::format("'{}' is undefined", expr.name)) : value;
}

std::vector<Value> Interpreter::evaluate_all(const std::vector<ExprPtr>& exprs, Activation& activation) {
  std::vector<Value> values;
  values.reserve(exprs.size());
  for (const ExprPtr& expr : exprs) values.push_back(evaluate(*expr, activation));
  return values;
}

Value Interpreter::evaluate_dict(const DictExpr& expr, Activation& activation) {
  std::vector<Dict::Entry> entries;
  entries.reserve(expr.items.size());
  for (const auto& [key, value] : expr.items) {
    Value evaluated_key = evaluate(*key, activation);
    entries.emplace_back(std::move(evaluated_key), evaluate(*value, activation));
  }
  return rt_.dict(std::move(entries));
}

Value Interpreter::evaluate_compare(const CompareExpr& expr, Activation& activation) {
  Value left = evaluate(*expr.first, activation);
  for (const auto& [comparison, operand] : expr.rest) {
    Value right = evaluate(*operand, activation);
    rt_.line = expr.line;
    if (!compare(rt_, comparison, left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::evaluate_concat(const SequenceExpr& expr, Activation& activation) {
  const std::vector<Value> values = evaluate_all(expr.items, activation);
  rt_.line = expr.line;
  bool markup = false;
  if (expr.autoescape) {
    for (const Value& value : values) markup |= value.is_string() && value.as_string()->markup;
  }
  std::string out;
  for (const Value& value : values) {
    const Value text = markup ? escape(rt_, value) : value;
    if (const String* string = text.as_string()) {
      rt_.reserve(out.size() + string->text.size());
      out += string->text;
    } else {
      out += to_text(rt_, text);
      rt_.reserve(out.size());
    }
  }
  return rt_.string(std::move(out), markup);
}

Value Interpreter::evaluate_conditional(const ConditionalExpr& expr, Activation& activation) {
  if (is_true(rt_, evaluate(*expr.test, activation))) return evaluate(*expr.then, activation);
  if (expr.otherwise) return evaluate(*expr.otherwise, activation);
  return Value::undefined(fmt::format(
      "the inline if-expression on line {} evaluated to false and no else section was defined.", expr.line));
}

Value Interpreter::evaluate_slice(const SliceExpr& expr, Activation& activation) {
  const auto part = [&](const ExprPtr& given) {
    return given ? evaluate(*given, activation) : Value::none();
  };
  const Value object = evaluate(*expr.object, activation);
  const Value start = part(expr.start);
  const Value stop = part(expr.stop);
  const Value step = part(expr.step);
  rt_.line = expr.line;
  return get_slice(rt_, object, start, stop, step);
}

Value Interpreter::evaluate_call(const CallExpr& expr, Activation& activation, const Value* caller) {
  CallArgs call;
  Value callee;
  const Builtin* method = nullptr;
  if (expr.callee->kind == ExprKind::kAttribute) {
    const auto& attribute = static_cast<const AttributeExpr&>(*expr.callee);
    Value object = evaluate(*attribute.object, activation);
    rt_.line = expr.line;
    method = find_method(object, attribute.name);
    if (method) {
      call.positional.push_back(std::move(object));
    } else {
      callee = get_attribute(rt_, object, attribute.name);
    }
  } else {
    callee = evaluate(*expr.callee, activation);
  }
  evaluate_arguments(expr.arguments, activation, call);
  if (caller) call.named.emplace_back("caller", *caller);
  rt_.line = expr.line;
  const Runtime::Depth depth(rt_);
  if (method) return call_builtin(rt_, *method, call);
  if (callee.is_undefined()) raise("{}", callee.undefined_message());
  Object* object = callee.as_object();
  if (!object) raise("'{}' object is not callable", type_name(callee));
  return object->call(rt_, call);
}

Value Interpreter::evaluate_apply(const ApplyExpr& expr, Activation& activation, const Value* block_text) {
  CallArgs call;
  if (expr.value) {
    // The filters of a block stand inside each other; the innermost has no value of its own and takes the
    // text.
    call.positional.push_back(
        block_text ? evaluate_apply(static_cast<const ApplyExpr&>(*expr.value), activation, block_text)
                   : evaluate(*expr.value, activation));
  } else {
    call.positional.push_back(*block_text);
  }
  evaluate_arguments(expr.arguments, activation, call);
  rt_.line = expr.line;
  const Runtime::Depth depth(rt_);
  if (!expr.builtin) {
    raise("No {} named '{}' found.", expr.kind == ExprKind::kFilter ? "filter" : "test", expr.name);
  }
  return call_builtin(rt_, *expr.builtin, call);
}

void Interpreter::evaluate_arguments(const CallArguments& arguments, Activation& activation, CallArgs& call) {
  for (const ExprPtr& argument : arguments.positional)
    call.positional.push_back(evaluate(*argument, activation));
  // Python evaluates *list before the named arguments.
  if (arguments.spread) {
    const std::vector<Value> items = collect(rt_, evaluate(*arguments.spread, activation));
    call.charge.emplace(rt_.charge(2 * items.size() * sizeof(Value)));
    call.positional.insert(call.positional.end(), items.begin(), items.end());
  }
  for (const auto& [name, argument] : arguments.named)
    call.named.emplace_back(name, evaluate(*argument, activation));
  if (arguments.named_spread) {
    const Value spread = evaluate(*arguments.named_spread, activation);
    const Dict* dict = spread.as_dict();
    if (!dict) raise("argument after ** must be a mapping, not {}", type_name(spread));
    for (const auto& [key, value] : dict->entries()) {
      if (!key.is_string()) raise("keywords must be strings");
      rt_.step(1 + call.named.size() / 8);
      for (const auto& [name, other] : call.named) {
        if (name == key.as_string()->text) raise("got multiple values for keyword argument '{}'", name);
      }
      rt_.reserve(call.named.size() * (sizeof(Value) + 64));
      call.named.emplace_back(key.as_string()->text, value);
    }
  }
}

}  // namespace cistern::text::jinja
