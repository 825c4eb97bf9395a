// The formats of strings that JSON Schema names, as patterns. Pure functions over a table.
#pragma once

#include <string>
#include <string_view>

namespace cistern::sample::grammar {

// The pattern of a format; nothing for unknown names.
std::string pattern_of_format(std::string_view name);
// Formats that say how a value is used and not what it looks like ("password", "int64").
bool is_format_without_pattern(std::string_view name);
// "date, time, …", for messages.
std::string known_formats();

}  // namespace cistern::sample::grammar
