// The value of a string literal in a template: the escapes of Python's unicode-escape codec. Used by the
// lexer only.
#pragma once

#include <string>
#include <string_view>

namespace cistern::text::jinja {

// `body`: the text between the quotes. Raises Failure at `line` for escapes that Python refuses, and for
// \N{...} and single surrogates, which have no place in UTF-8.
std::string unescape_literal(std::string_view body, int line);

}  // namespace cistern::text::jinja
