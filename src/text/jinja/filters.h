// The filters of Jinja (`x | name`), with transformers' tojson. find_filter gives the row of a name, or null.
// The rows live in filters_*.cc, one file per subject.
#pragma once

#include <string_view>

#include "text/jinja/arguments.h"
#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

const Builtin* find_filter(std::string_view name);

const Builtin* find_text_filter(std::string_view name);
const Builtin* find_html_filter(std::string_view name);
const Builtin* find_number_filter(std::string_view name);
const Builtin* find_sequence_filter(std::string_view name);
const Builtin* find_selection_filter(std::string_view name);

// markupsafe's soft_str: the value itself when it is a string (markup stays markup), else str(value).
Value to_string_value(Runtime& rt, const Value& value);

}  // namespace cistern::text::jinja
