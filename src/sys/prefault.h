// Maps the pages of a file mapping before they are used: faulted one by one in the middle of the arithmetic
// they cost several times as much, and prefetches of unmapped pages are lost. Reads from disk what is not in
// memory. A hint: never fails; a page that cannot be read fails when it is used. Called by engine/ at load
// time, for pieces of a file on several threads at once.
#pragma once

#include <cstddef>
#include <span>

namespace cistern::sys {

void prefault(std::span<const std::byte> range) noexcept;

}  // namespace cistern::sys
