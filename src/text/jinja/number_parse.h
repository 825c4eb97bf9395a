// Text to number as Python's int() and float() read it: white space around, a sign, underscores between
// digits, decimal digits of any script. Used by the filters int and float and by the lexer's literals.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "text/jinja/integer.h"

namespace cistern::text::jinja {

// nullopt where Python raises ValueError. base: 0 (taken from the prefix) or 2 to 36.
std::optional<Integer> parse_integer(std::string_view text, int64_t base);
std::optional<double> parse_float(std::string_view text);

}  // namespace cistern::text::jinja
