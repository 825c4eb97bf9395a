// Asks the system to back a large range with huge pages where it can (Linux); elsewhere does nothing. A hint:
// never fails. Used by buffer.cc.
#pragma once

#include <cstddef>
#include <span>

namespace cistern::sys {

void advise_huge_pages(std::span<std::byte> range) noexcept;

}  // namespace cistern::sys
