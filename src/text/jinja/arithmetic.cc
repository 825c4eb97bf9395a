// The binary and unary arithmetic operators of operators.h: numbers, and what Python does with strings and
// sequences.
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/operators.h"
#include "text/jinja/percent_format.h"
#include "text/jinja/repr.h"

namespace cistern::text::jinja {
namespace {

std::string_view symbol_of(BinaryOperator op) {
  static constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
  return kSymbols[static_cast<int>(op)];
}

[[noreturn]] void raise_unsupported(BinaryOperator op, const Value& a, const Value& b) {
  raise("unsupported operand type(s) for {}: '{}' and '{}'", symbol_of(op), type_name(a), type_name(b));
}

double float_modulo(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0) {
    if ((b < 0) != (rest < 0)) rest += b;
  } else {
    rest = std::copysign(0.0, b);
  }
  return rest;
}

double float_floor_divide(double a, double b) {
  double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

double float_power(double a, double b) {
  if (a == 0 && b < 0) raise("0.0 cannot be raised to a negative power");
  if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b))
    raise("complex numbers are not supported");
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) raise("the result of ** is too large");
  return result;
}

Value integer_arithmetic(BinaryOperator op, const Integer& a, const Integer& b) {
  switch (op) {
    case BinaryOperator::kAdd:
      return a + b;
    case BinaryOperator::kSubtract:
      return a - b;
    case BinaryOperator::kMultiply:
      return a * b;
    case BinaryOperator::kPower:
      return b.is_negative() ? Value(float_power(a.to_double(), b.to_double())) : Value(Integer::power(a, b));
    default:
      break;
  }
  if (b.is_zero()) {
    if (op == BinaryOperator::kDivide) raise("division by zero");
    raise("integer {} by zero", op == BinaryOperator::kModulo ? "modulo" : "division or modulo");
  }
  if (op == BinaryOperator::kDivide) return Integer::divide(a, b);
  return op == BinaryOperator::kModulo ? Integer::modulo(a, b) : Integer::floor_divide(a, b);
}

Value float_arithmetic(BinaryOperator op, double a, double b) {
  switch (op) {
    case BinaryOperator::kAdd:
      return a + b;
    case BinaryOperator::kSubtract:
      return a - b;
    case BinaryOperator::kMultiply:
      return a * b;
    case BinaryOperator::kPower:
      return float_power(a, b);
    default:
      break;
  }
  if (b == 0)
    raise("float {} by zero", op == BinaryOperator::kDivide ? "division" : "modulo or floor division");
  if (op == BinaryOperator::kDivide) return a / b;
  return op == BinaryOperator::kModulo ? float_modulo(a, b) : float_floor_divide(a, b);
}

double float_of(const Value& value) {
  const std::optional<Integer> integer = value.as_integral();
  return integer ? integer->to_double() : *value.as_float();
}

Value add_strings(Runtime& rt, const Value& a, const Value& b) {
  const bool markup = a.as_string()->markup || b.as_string()->markup;
  const Value left = markup ? escape(rt, a) : a;
  const Value right = markup ? escape(rt, b) : b;
  const std::string& x = left.as_string()->text;
  const std::string& y = right.as_string()->text;
  rt.reserve(x.size() + y.size());
  std::string sum;
  sum.reserve(x.size() + y.size());
  sum.append(x).append(y);
  return rt.string(std::move(sum), markup);
}

Value concatenate(Runtime& rt, const std::vector<Value>& a, const std::vector<Value>& b, bool as_list) {
  rt.reserve_many(a.size() + b.size(), sizeof(Value));
  rt.step((a.size() + b.size()) / 8);
  std::vector<Value> items;
  items.reserve(a.size() + b.size());
  items.insert(items.end(), a.begin(), a.end());
  items.insert(items.end(), b.begin(), b.end());
  return as_list ? rt.list(std::move(items)) : rt.tuple(std::move(items));
}

Value add(Runtime& rt, const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) return add_strings(rt, a, b);
  if (a.as_list() && b.as_list()) return concatenate(rt, *a.items(), *b.items(), true);
  if (a.as_tuple() && b.as_tuple()) return concatenate(rt, *a.items(), *b.items(), false);
  if (a.is_string()) raise("can only concatenate str (not \"{}\") to str", type_name(b));
  if (a.items()) raise("can only concatenate {0} (not \"{1}\") to {0}", type_name(a), type_name(b));
  raise_unsupported(BinaryOperator::kAdd, a, b);
}

// 'ab' * 3, [x] * 3. Missing when `sequence` is none or `count` no integer.
Value repeat(Runtime& rt, const Value& sequence, const Value& count) {
  const std::optional<Integer> times = count.as_integral();
  if (!times || !(sequence.is_string() || sequence.items())) return Value();
  const uint64_t n = times->is_negative() ? 0 : static_cast<uint64_t>(to_index(count));
  if (const String* text = sequence.as_string()) {
    std::string out;
    out.reserve(rt.reserve_many(n, text->text.size()));
    if (!text->text.empty()) {
      for (uint64_t i = 0; i < n; ++i) out += text->text;
    }
    return rt.string(std::move(out), text->markup);
  }
  const std::vector<Value>& source = *sequence.items();
  rt.reserve_many(n, source.size() * sizeof(Value));
  std::vector<Value> items;
  if (!source.empty()) {
    rt.step(n * source.size() / 8);
    items.reserve(static_cast<std::size_t>(n) * source.size());
    for (uint64_t i = 0; i < n; ++i) items.insert(items.end(), source.begin(), source.end());
  }
  return sequence.as_list() ? rt.list(std::move(items)) : rt.tuple(std::move(items));
}

}  // namespace

Value apply(Runtime& rt, BinaryOperator op, const Value& a, const Value& b) {
  const std::optional<Integer> x = a.as_integral();
  const std::optional<Integer> y = b.as_integral();
  if ((x && !x->to_int64()) || (y && !y->to_int64())) rt.step(16);
  if (x && y) return integer_arithmetic(op, *x, *y);
  if ((x || a.as_float()) && (y || b.as_float())) return float_arithmetic(op, float_of(a), float_of(b));
  if (op == BinaryOperator::kModulo && a.is_string()) return percent_format(rt, a, b);
  if (a.is_undefined()) raise("{}", a.undefined_message());
  if (b.is_undefined()) raise("{}", b.undefined_message());
  if (op == BinaryOperator::kAdd) return add(rt, a, b);
  if (op == BinaryOperator::kMultiply) {
    if (Value repeated = repeat(rt, a, b); !repeated.is_missing()) return repeated;
    if (Value repeated = repeat(rt, b, a); !repeated.is_missing()) return repeated;
    if (a.is_string() || a.items()) raise("can't multiply sequence by non-int of type '{}'", type_name(b));
  }
  raise_unsupported(op, a, b);
}

Value negate(const Value& value) {
  if (const double* number = value.as_float()) return -*number;
  if (const auto integer = value.as_integral()) return -*integer;
  if (value.is_undefined()) raise("{}", value.undefined_message());
  raise("bad operand type for unary -: '{}'", type_name(value));
}

Value positive(const Value& value) {
  if (value.as_float()) return value;
  if (const auto integer = value.as_integral()) return *integer;
  if (value.is_undefined()) raise("{}", value.undefined_message());
  raise("bad operand type for unary +: '{}'", type_name(value));
}

}  // namespace cistern::text::jinja
