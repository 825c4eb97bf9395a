// The filter tojson as transformers defines it: Python's json.dumps with ensure_ascii=False, indent,
// separators and sort_keys, without HTML escaping. A row of the filter table.
#pragma once

#include "text/jinja/arguments.h"
#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

Value filter_tojson(Runtime& rt, const Arguments& args);

}  // namespace cistern::text::jinja
