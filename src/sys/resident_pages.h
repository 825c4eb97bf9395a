// How much of a file mapping is in memory already, so that opening it reads less from disk. An estimate from
// some hundred pages spread over it. Where the system does not say, everything counts as there.
#pragma once

#include <cstddef>
#include <span>

namespace cistern::sys {

// From 0 to 1; 1 for an empty range and for memory that is no mapping.
double resident_share(std::span<const std::byte> mapping) noexcept;

}  // namespace cistern::sys
