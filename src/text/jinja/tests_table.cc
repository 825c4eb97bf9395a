#include "text/jinja/tests_table.h"

#include "text/jinja/access.h"
#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/iteration.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"
#include "text/jinja/unicode.h"

namespace cistern::text::jinja {
namespace {

template <int64_t kRest>
Value has_rest_of_two(Runtime& rt, const Arguments& args) {
  return equals(rt, apply(rt, BinaryOperator::kModulo, args[0], Value(2)), Value(kRest));
}

Value divisibleby(Runtime& rt, const Arguments& args) {
  return equals(rt, apply(rt, BinaryOperator::kModulo, args[0], args[1]), Value(0));
}

Value defined(Runtime&, const Arguments& args) {
  return !args[0].is_undefined();
}
Value undefined(Runtime&, const Arguments& args) {
  return args[0].is_undefined();
}

template <const Builtin* (*kFind)(std::string_view)>
Value exists(Runtime&, const Arguments& args) {
  if (!is_hashable(args[0])) raise("unhashable type: '{}'", type_name(args[0]));
  return args[0].is_string() && kFind(args[0].as_string()->text) != nullptr;
}

template <Type kType>
Value has_type(Runtime&, const Arguments& args) {
  return args[0].is(kType);
}

template <bool kBool>
Value is_bool(Runtime&, const Arguments& args) {
  return args[0].as_bool() && *args[0].as_bool() == kBool;
}

Value number(Runtime&, const Arguments& args) {
  return args[0].as_float() || args[0].as_integral();
}

template <bool kUpper>
Value has_case(Runtime& rt, const Arguments& args) {
  CallArgs call;
  call.positional.push_back(rt.string(to_text(rt, args[0])));
  return call_builtin(rt, *find_string_shape_method(kUpper ? "isupper" : "islower"), call);
}

Value sequence(Runtime&, const Arguments& args) {
  const Value& value = args[0];
  return value.is_undefined() || value.is_string() || value.items() || value.as_dict() || value.as<Range>();
}

Value iterable(Runtime&, const Arguments& args) {
  return is_iterable(args[0]) || type_name(args[0]) == "LoopContext";
}

Value callable(Runtime&, const Arguments& args) {
  return args[0].is_undefined() || (args[0].as_object() && args[0].as_object()->is_callable());
}

// Python compares addresses. Numbers and texts are shared or not at its will, so only what is certain is
// answered.
Value sameas(Runtime& rt, const Arguments& args) {
  const Value& a = args[0];
  const Value& b = args[1];
  if (a.same_object(b)) return true;
  if (a.type() != b.type() || !equals(rt, a, b)) return false;
  if (const Integer* number = a.as_int(); number && *number >= Integer(-5) && *number <= Integer(256))
    return true;
  if (a.as_int() || a.as_float() || a.is_string() || a.as_tuple() || a.is_undefined()) {
    raise("the test 'sameas' is not supported for equal values of type '{}'", type_name(a));
  }
  return false;
}

Value escaped(Runtime&, const Arguments& args) {
  return args[0].is_string() && args[0].as_string()->markup;
}

template <Comparison kComparison>
Value compares(Runtime& rt, const Arguments& args) {
  return compare(rt, kComparison, args[0], args[1]);
}

constexpr Builtin kTests[] = {
    {"odd", "value", has_rest_of_two<1>},
    {"even", "value", has_rest_of_two<0>},
    {"divisibleby", "value num", divisibleby},
    {"defined", "value", defined},
    {"undefined", "value", undefined},
    {"filter", "value", exists<find_filter>},
    {"test", "value", exists<find_test>},
    {"none", "value", has_type<Type::kNone>},
    {"boolean", "value", has_type<Type::kBool>},
    {"false", "value", is_bool<false>},
    {"true", "value", is_bool<true>},
    {"integer", "value", has_type<Type::kInt>},
    {"float", "value", has_type<Type::kFloat>},
    {"lower", "value", has_case<false>},
    {"upper", "value", has_case<true>},
    {"string", "value", has_type<Type::kString>},
    {"mapping", "value", has_type<Type::kDict>},
    {"number", "value", number},
    {"sequence", "value", sequence},
    {"iterable", "value", iterable},
    {"callable", "value /", callable},
    {"sameas", "value other", sameas},
    {"escaped", "value", escaped},
    {"in", "value seq", compares<Comparison::kIn>},
    {"==", "a b /", compares<Comparison::kEqual>},
    {"eq", "a b /", compares<Comparison::kEqual>},
    {"equalto", "a b /", compares<Comparison::kEqual>},
    {"!=", "a b /", compares<Comparison::kNotEqual>},
    {"ne", "a b /", compares<Comparison::kNotEqual>},
    {">", "a b /", compares<Comparison::kGreater>},
    {"gt", "a b /", compares<Comparison::kGreater>},
    {"greaterthan", "a b /", compares<Comparison::kGreater>},
    {">=", "a b /", compares<Comparison::kGreaterEqual>},
    {"ge", "a b /", compares<Comparison::kGreaterEqual>},
    {"<", "a b /", compares<Comparison::kLess>},
    {"lt", "a b /", compares<Comparison::kLess>},
    {"lessthan", "a b /", compares<Comparison::kLess>},
    {"<=", "a b /", compares<Comparison::kLessEqual>},
    {"le", "a b /", compares<Comparison::kLessEqual>},
};

}  // namespace

const Builtin* find_test(std::string_view name) {
  return find_builtin(kTests, name);
}

}  // namespace cistern::text::jinja
