#include "text/jinja/macro.h"

#include <algorithm>

#include "text/jinja/failure.h"
#include "text/jinja/iteration.h"
#include "text/jinja/operators.h"

namespace cistern::text::jinja {
namespace {

// Takes a named argument out of a call.
std::optional<Value> pop_named(CallArgs& call, std::string_view name) {
  const auto found = std::find_if(call.named.begin(), call.named.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  if (found == call.named.end()) return std::nullopt;
  Value value = std::move(found->second);
  call.named.erase(found);
  return value;
}

Value loop_cycle(Runtime&, const Arguments& args) {
  const CallArgs& call = args.call();
  if (!call.named.empty()) raise("cycle() takes no keyword arguments");
  return call.positional[0].as<LoopContext>()->cycle({call.positional.begin() + 1, call.positional.end()});
}

Value loop_changed(Runtime& rt, const Arguments& args) {
  const CallArgs& call = args.call();
  if (!call.named.empty()) raise("changed() takes no keyword arguments");
  return call.positional[0].as<LoopContext>()->changed(rt,
                                                       {call.positional.begin() + 1, call.positional.end()});
}

constexpr Builtin kLoopCycle{"cycle", "*", loop_cycle};
constexpr Builtin kLoopChanged{"changed", "*", loop_changed};

}  // namespace

Value Macro::attribute(Runtime& rt, std::string_view name) {
  if (name == "name") return name_ ? rt.string(*name_) : Value::none();
  if (name == "arguments") {
    std::vector<Value> names;
    for (const auto& parameter : body_.parameters) names.push_back(rt.string(parameter->name));
    return rt.tuple(std::move(names));
  }
  if (name == "catch_kwargs") return body_.kwargs >= 0;
  if (name == "catch_varargs") return body_.varargs >= 0;
  if (name == "caller") return body_.caller >= 0 || body_.caller_is_parameter;
  if (name == "explicit_caller") {
    return std::any_of(body_.parameters.begin(), body_.parameters.end(),
                       [](const auto& parameter) { return parameter->name == "caller"; });
  }
  return Value();
}

Value Macro::call(Runtime&, CallArgs& args) {
  const std::size_t count = body_.parameters.size();
  std::vector<Value> arguments(
      args.positional.begin(),
      args.positional.begin() + static_cast<std::ptrdiff_t>(std::min(count, args.positional.size())));
  for (std::size_t i = arguments.size(); i < count; ++i) {
    arguments.push_back(pop_named(args, body_.parameters[i]->name).value_or(Value()));
  }
  // `caller` is for the macro alone, unless it collects named arguments.
  if (body_.caller >= 0) {
    std::optional<Value> caller = pop_named(args, "caller");
    arguments.push_back(caller && !caller->is_none() ? *caller : Value::undefined("No caller defined"));
  }
  if (body_.kwargs < 0 && !args.named.empty()) {
    raise("macro {} takes no keyword argument '{}'", display_name(), args.named.front().first);
  }
  if (body_.varargs < 0 && args.positional.size() > count) {
    raise("macro {} takes not more than {} argument(s)", display_name(), count);
  }
  return interpreter_.run_macro(body_, std::move(arguments), args, closure_);
}

std::string Macro::repr(Runtime&) {
  return name_ ? fmt::format("<Macro '{}'>", *name_) : "<Macro anonymous>";
}

void LoopContext::clear() {
  iterable_ = before_ = current_ = after_ = Value();
  last_changed_.reset();
  iterator_.reset();
}

bool LoopContext::next(Runtime& rt, Value& out) {
  if (after_.is_missing() && !iterator_->next(rt, out)) return false;
  if (!after_.is_missing()) out = std::exchange(after_, Value());
  ++index0_;
  before_ = std::exchange(current_, out);
  return true;
}

bool LoopContext::peek(Runtime& rt) {
  if (after_.is_missing() && iterator_) {
    Value next;
    if (iterator_->next(rt, next)) after_ = std::move(next);
  }
  return !after_.is_missing();
}

std::optional<std::size_t> LoopContext::length(Runtime& rt) {
  if (length_) return length_;
  if (iterable_.as<Iterator>() && iterator_) {
    // Read ahead, and go on with what was read.
    std::vector<Value> rest;
    for (Value item; iterator_->next(rt, item);) {
      rest.push_back(std::move(item));
      rt.reserve(rest.size() * sizeof(Value));
    }
    length_ = rest.size() + static_cast<std::size_t>(index0_ + 1) + (after_.is_missing() ? 0 : 1);
    iterator_ = jinja::iterate(rt, rt.list(std::move(rest)));
  } else {
    length_ = length_of(rt, iterable_);
  }
  return length_;
}

Value LoopContext::attribute(Runtime& rt, std::string_view name) {
  const auto total = [&] { return static_cast<int64_t>(*length(rt)); };
  if (name == "index") return Value(index0_ + 1);
  if (name == "index0") return Value(index0_);
  if (name == "first") return index0_ == 0;
  if (name == "last") return !peek(rt);
  if (name == "length") return Value(total());
  if (name == "revindex") return Value(total() - index0_);
  if (name == "revindex0") return Value(total() - index0_ - 1);
  if (name == "depth") return Value(depth0_ + 1);
  if (name == "depth0") return Value(depth0_);
  if (name == "previtem") return index0_ == 0 ? Value::undefined("there is no previous item") : before_;
  if (name == "nextitem") return peek(rt) ? after_ : Value::undefined("there is no next item");
  if (name == "cycle") return rt.object<BoundMethod>(Value(shared_from_this()), kLoopCycle);
  if (name == "changed") return rt.object<BoundMethod>(Value(shared_from_this()), kLoopChanged);
  return Value();
}

Value LoopContext::cycle(const std::vector<Value>& values) const {
  if (values.empty()) raise("no items for cycling given");
  return values[static_cast<std::size_t>(index0_) % values.size()];
}

bool LoopContext::changed(Runtime& rt, std::vector<Value> values) {
  Value now = rt.tuple(std::move(values));
  if (last_changed_ && jinja::equals(rt, *last_changed_, now)) return false;
  if (!std::exchange(kept_, true)) rt.keep(shared_from_this());  // the values may hold the loop itself
  last_changed_ = std::move(now);
  return true;
}

Value LoopContext::call(Runtime&, CallArgs& args) {
  static constexpr Builtin kLoop{"loop", "iterable", nullptr};
  const Arguments bound(kLoop, args);
  if (!recursion_) raise("The loop must have the 'recursive' marker to be called recursively.");
  return recursion_->interpreter.run_recursive_loop(recursion_->stmt, bound[0], recursion_->outer,
                                                    depth0_ + 1);
}

std::string LoopContext::repr(Runtime& rt) {
  return fmt::format("<LoopContext {}/{}>", index0_ + 1, *length(rt));
}

}  // namespace cistern::text::jinja
