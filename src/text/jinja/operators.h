// Python's operators over values: truth, equality, order, membership, length, arithmetic. Used by the
// evaluator and by the built-ins. Whatever Python refuses is refused with its words; work and memory are paid
// to the Runtime first. Comparing and adding walk containers recursively, bounded by the limit on their
// nesting.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

enum class BinaryOperator { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
enum class Comparison { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

std::string_view type_name(const Value& value);  // as type(x).__name__

bool is_true(Runtime& rt, const Value& value);
bool equals(Runtime& rt, const Value& a, const Value& b);
bool compare(Runtime& rt, Comparison comparison, const Value& a, const Value& b);
bool contains(Runtime& rt, const Value& container, const Value& item);
std::size_t length_of(Runtime& rt, const Value& value);

Value apply(Runtime& rt, BinaryOperator op, const Value& a, const Value& b);
Value negate(const Value& value);
Value positive(const Value& value);

// Text of HTML with & < > ' " replaced; markup stays as it is. The result is markup.
Value escape(Runtime& rt, const Value& value);

}  // namespace cistern::text::jinja
