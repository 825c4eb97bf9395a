// Numbers and texts laid out as Python's format specifications ask ("{:>8.2f}") and as printf does
// ("%08.2f"). Shared by str.format, the % operator and the filters that print numbers. Widths and precisions
// are checked against the memory limit before anything is made.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

// format(value, spec) of Python.
std::string format_value(Runtime& rt, const Value& value, std::string_view spec);

struct FloatStyle {
  char type;  // one of e E f F g G
  int64_t precision = 6;
  bool keep_point = false;   // '#'
  bool one_decimal = false;  // with g: at least one digit behind the point, as str() does
};
// Digits of a float, correctly rounded, with '-' in front where negative.
std::string format_float(Runtime& rt, double value, const FloatStyle& style);

// float(value) for numbers; raises for anything else.
double to_double(const Value& value);

}  // namespace cistern::text::jinja
