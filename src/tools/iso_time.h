// Reads a point of time as `--now` takes it. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "text/jinja/template.h"

namespace cistern::tools {

// "2026-03-07T14:05:09", with a space for the T, with a fraction of a second, or the date alone. A zone ("Z",
// "+02:00") may follow and changes nothing: templates see the clock as it is written. kUsage otherwise.
Result<text::jinja::LocalTime> parse_iso_time(std::string_view text);

}  // namespace cistern::tools
