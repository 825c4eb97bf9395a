// The tests of Jinja (`x is name`). find_test gives the row of a name, or null.
#pragma once

#include <string_view>

#include "text/jinja/arguments.h"

namespace cistern::text::jinja {

const Builtin* find_test(std::string_view name);

}  // namespace cistern::text::jinja
