// How many files and sockets this process may have open. Called once, early, by commands that hold many
// connections: the usual limit of 1,024 is for programs of another age. Thread-safe.
#pragma once

#include <cstddef>

namespace cistern::sys {

// Raises the limit as far as the system lets this user, and returns what it is now.
std::size_t raise_open_files_limit();

}  // namespace cistern::sys
