// The functions every template can call: range, dict, namespace, cycler, joiner, raise_exception,
// strftime_now, lipsum. Looked up by the interpreter after the variables of the context.
#pragma once

#include <string_view>

#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

// Missing when there is no such function.
Value find_global(Runtime& rt, std::string_view name);

}  // namespace cistern::text::jinja
