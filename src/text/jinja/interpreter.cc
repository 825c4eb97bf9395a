// Activations and variables.
#include "text/jinja/interpreter.h"

#include <utility>

#include "text/jinja/failure.h"
#include "text/jinja/globals.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"

namespace cistern::text::jinja {

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

}  // namespace cistern::text::jinja
