// Points of time as protocols write them: "2026-03-07T14:05:09Z". Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cistern::serve {

// UTC, to the second. Years beyond 0-9999 become the nearest one of these.
std::string rfc3339(std::int64_t seconds_since_1970);

// The same with microseconds: "2026-03-07T14:05:09.123456Z".
std::string rfc3339_us(std::chrono::system_clock::time_point time);

}  // namespace cistern::serve
