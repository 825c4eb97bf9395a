// Numbers as people read them: three digits that count, thousands apart, units. For pages and tables; what
// another program reads is JSON. Every finite number has a short text, however large. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace cistern::tools {

std::string number_text(double value);                     // 1,240  12.4  0.040  1.0e+18
std::string si_text(double value, std::string_view unit);  // 82.6 TMAC/s  1.01 TB/s
std::string power_text(double power_of_ten);               // 0.01  100  10 k  1 T
std::string seconds_text(double seconds);                  // 310 ms  8.20 s  12.5 min
std::string bytes_text(double bytes);                      // as plan::describe_bytes
std::string billions_text(double count);                   // 70.6 billion  494 million
std::string count_text(double count);                      // 131,072
std::string percent_text(double share);                    // 0.784: 78%

}  // namespace cistern::tools
