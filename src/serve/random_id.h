// Identifiers that nobody guesses or meets twice, for answers and requests. From the system's random numbers;
// safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace cistern::serve {

// The prefix and 32 hexadecimal digits: "msg_3f…".
std::string random_id(std::string_view prefix);

}  // namespace cistern::serve
