// strftime_now(format): date and time as Python's datetime.strftime writes them in the C locale. A row of the
// table of global functions; the clock is the Runtime's.
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/runtime.h"

namespace cistern::text::jinja {

std::string format_time(Runtime& rt, std::string_view format, LocalTime time);
LocalTime local_time_now();

}  // namespace cistern::text::jinja
