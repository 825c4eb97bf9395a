// Texts of values as Python writes them: str() for what {{ }} prints and repr() for what stands inside lists
// and dicts. Used by the evaluator, tojson and the formatting built-ins. Values whose Python text holds an
// address are refused.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

std::string to_text(Runtime& rt, const Value& value);  // str(value)
std::string repr(Runtime& rt, const Value& value);
void append_repr(Runtime& rt, std::string& out, const Value& value);

std::string float_repr(double value);  // shortest digits that read back as the same float
void append_string_repr(std::string& out, std::string_view text);

}  // namespace cistern::text::jinja
