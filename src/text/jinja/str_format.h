// str.format and str.format_map as the sandbox runs them: "{0.name!r:>{width}}". Rows of the string method
// table.
#pragma once

#include "text/jinja/arguments.h"
#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

Value str_format(Runtime& rt, const Arguments& args);
Value str_format_map(Runtime& rt, const Arguments& args);

}  // namespace cistern::text::jinja
