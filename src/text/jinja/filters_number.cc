// Filters that make numbers.
#include <cmath>

#include "text/jinja/failure.h"
#include "text/jinja/filters.h"
#include "text/jinja/number_format.h"
#include "text/jinja/number_parse.h"
#include "text/jinja/operators.h"
#include "text/jinja/repr.h"

namespace cistern::text::jinja {
namespace {

Value absolute(Runtime&, const Arguments& args) {
  if (const double* number = args[0].as_float()) return std::fabs(*number);
  if (const auto integer = args[0].as_integral()) return integer->is_negative() ? -*integer : *integer;
  raise("bad operand type for abs(): '{}'", type_name(args[0]));
}

Value to_int(Runtime& rt, const Arguments& args) {
  const Value& value = args[0];
  const Value fallback = args.has(1) ? args[1] : Value(0);
  const int64_t base = args.integer(2, 10);
  if (value.is_undefined()) raise("{}", value.undefined_message());
  if (const auto integer = value.as_integral()) return *integer;
  if (const double* number = value.as_float()) {
    if (std::isinf(*number)) raise("cannot convert float infinity to integer");
    return std::isnan(*number) ? fallback : Value(Integer::from_double(*number));
  }
  const String* text = value.as_string();
  if (!text) return fallback;
  rt.work(text->text.size() * 4);
  if (const auto integer = parse_integer(text->text, base)) return *integer;
  const std::optional<double> number = parse_float(text->text);  // "42.23" gives 42
  return number && std::isfinite(*number) ? Value(Integer::from_double(*number)) : fallback;
}

Value to_float(Runtime& rt, const Arguments& args) {
  const Value& value = args[0];
  const Value fallback = args.has(1) ? args[1] : Value(0.0);
  if (value.is_undefined()) raise("{}", value.undefined_message());
  if (value.as_float()) return value;
  if (const auto integer = value.as_integral()) return integer->to_double();
  const String* text = value.as_string();
  if (!text) return fallback;
  rt.work(text->text.size() * 4);
  const std::optional<double> number = parse_float(text->text);
  return number ? Value(*number) : fallback;
}

Integer power_of_ten(int64_t exponent) {
  return Integer::power(Integer(10), Integer(exponent));
}

// round(int, -digits): to the nearest multiple, halves to the even one.
Integer round_integer(const Integer& value, int64_t digits) {
  const Integer unit = power_of_ten(digits);
  const Integer rest = Integer::modulo(value, unit);
  const Integer below = value - rest;
  const Integer twice = rest + rest;
  const bool odd = !Integer::modulo(Integer::floor_divide(below, unit), Integer(2)).is_zero();
  return twice > unit || (twice == unit && odd) ? below + unit : below;
}

// round(float, digits): correctly rounded decimal, which printf delivers for digits >= 0.
double round_float(Runtime& rt, double value, int64_t digits) {
  if (!std::isfinite(value) || digits > 323) return value;
  if (digits >= 0) return *parse_float(format_float(rt, value, {'f', digits, false, false}));
  if (std::fabs(value) >= 0x1p53) raise("round: a float this large cannot be rounded to {} digits", digits);
  if (digits < -20) return std::copysign(0.0, value);
  const double whole = std::trunc(value);
  const Integer unit = power_of_ten(-digits);
  // What is behind the point only decides ties: a non-zero fraction moves a tie away from zero.
  const Integer magnitude = Integer::from_double(std::fabs(whole));
  const Integer rest = Integer::modulo(magnitude, unit);
  const bool beyond_tie = whole != value && rest + rest == unit;
  const Integer rounded = beyond_tie ? magnitude - rest + unit : round_integer(magnitude, -digits);
  return std::copysign(rounded.to_double(), value);
}

Value round(Runtime& rt, const Arguments& args) {
  const Value& value = args[0];
  const std::string method = args.has(2) ? args.string(2).text : "common";
  if (method != "common" && method != "ceil" && method != "floor")
    raise("method must be common, ceil or floor");
  const std::optional<Integer> integer = value.as_integral();
  if (!integer && !value.as_float()) {
    if (value.is_undefined()) raise("{}", value.undefined_message());
    raise("type {} doesn't define __round__ method", type_name(value));
  }
  if (method == "common") {
    if (args.has(1) && args[1].is_none()) {
      if (integer) return *integer;
      if (!std::isfinite(*value.as_float()))
        raise("cannot convert float {} to integer", float_repr(*value.as_float()));
      return Integer::from_double(std::nearbyint(*value.as_float()));
    }
    const int64_t digits = args.integer(1, 0);
    if (!integer) return round_float(rt, *value.as_float(), digits);
    if (digits >= 0) return *integer;
    return digits < -76 ? Value(0) : Value(round_integer(*integer, -digits));
  }
  const Value scale = apply(rt, BinaryOperator::kPower, Value(10), args.has(1) ? args[1] : Value(0));
  const Value scaled = apply(rt, BinaryOperator::kMultiply, value, scale);
  if (scaled.as_integral()) return apply(rt, BinaryOperator::kDivide, scaled, scale);
  const double number = *scaled.as_float();
  if (!std::isfinite(number)) raise("cannot convert float {} to integer", float_repr(number));
  const double whole = method == "ceil" ? std::ceil(number) : std::floor(number);
  return apply(rt, BinaryOperator::kDivide, Integer::from_double(whole), scale);
}

Value file_size(Runtime& rt, const Arguments& args) {
  const bool binary = args.truth(rt, 1, false);
  static constexpr std::string_view kDecimal[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  static constexpr std::string_view kBinary[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  double bytes = 0;
  if (const String* text = args[0].as_string()) {
    const std::optional<double> number = parse_float(text->text);
    if (!number) raise("could not convert string to float: {}", repr(rt, args[0]));
    bytes = *number;
  } else {
    bytes = to_double(args[0]);
  }
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return rt.string("1 Byte");
  if (bytes < base) {
    if (!std::isfinite(bytes)) raise("cannot convert float {} to integer", float_repr(bytes));
    return rt.string(Integer::from_double(bytes).to_string() + " Bytes");
  }
  double unit = base;
  for (std::size_t i = 0;; ++i) {
    unit *= base;
    if (bytes < unit || i + 1 == std::size(kDecimal)) {
      return rt.string(fmt::format("{} {}", format_float(rt, base * bytes / unit, {'f', 1, false, false}),
                                   binary ? kBinary[i] : kDecimal[i]));
    }
  }
}

constexpr Builtin kFilters[] = {
    {"abs", "x /", absolute},
    {"int", "value default? base?", to_int},
    {"float", "value default?", to_float},
    {"round", "value precision? method?", round},
    {"filesizeformat", "value binary?", file_size},
};

}  // namespace

const Builtin* find_number_filter(std::string_view name) {
  return find_builtin(kFilters, name);
}

}  // namespace cistern::text::jinja
