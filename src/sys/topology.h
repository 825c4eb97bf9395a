// How many cores this process should use. One thread per physical core saturates memory bandwidth; a second
// one per core (SMT) only adds contention. Used for the default size of the thread pool. Thread-safe.
#pragma once

#include <optional>

namespace cistern::sys {

// Physical cores that the affinity mask allows, no more than the cgroup's processor quota (rounded down);
// >= 1.
int usable_cores();

// Processors' worth of time that a container limit leaves; nothing: no limit (always on macOS).
std::optional<double> cpu_quota();

}  // namespace cistern::sys
