// Regular expressions as JSON Schema's `pattern` has them (ECMA-262, Unicode), compiled to a Dfa of all
// strings in which they match somewhere. What is no regular language (backreferences, lookaround) or needs
// tables of properties (\p) is refused by name. Pure function; hostile patterns end with an error.
#pragma once

#include <string_view>

#include "sample/grammar/dfa.h"

namespace cistern::sample::grammar {

// kFormat for malformed patterns, with the offset; kUnsupported for refused ones and for those that become
// too large.
Result<Dfa> compile_regex(std::string_view pattern);

}  // namespace cistern::sample::grammar
