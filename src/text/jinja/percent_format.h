// Python's `format % values` for strings: "%-10s %05.2f" % (name, price), "%(key)s" % mapping. Used by the %
// operator and the filter `format`. With a markup format the values are escaped.
#pragma once

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace cistern::text::jinja {

// REQUIRES: format is a string.
Value percent_format(Runtime& rt, const Value& format, const Value& values);

}  // namespace cistern::text::jinja
