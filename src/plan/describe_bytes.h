// Amounts of memory and of disk as every report and message has them. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace cistern::plan {

// "4.1 GiB", "512.0 MiB", "7.0 KiB".
std::string describe_bytes(std::uint64_t bytes);

}  // namespace cistern::plan
