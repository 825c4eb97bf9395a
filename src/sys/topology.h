// The processors and memory nodes that this process may use, by hwloc. One thread per physical core saturates
// memory bandwidth; a second one per core (SMT) only adds contention, so usable_cores() is the default size
// of the thread pool. Thread-safe; a snapshot that costs some milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cistern::sys {

// Physical cores that the affinity mask allows, no more than the cgroup's processor quota (rounded down);
// >= 1.
int usable_cores();

// Processors' worth of time that a container limit leaves; nothing: no limit (always on macOS).
std::optional<double> cpu_quota();

struct Cache {
  int level = 0;  // 1 to 5; data or unified
  std::uint64_t bytes = 0;
  int count = 0;  // of this level and size
};

struct Topology {
  std::string processor;  // "AMD EPYC"; empty: unknown
  int packages = 0;       // everything below counts what the affinity mask allows
  int cores = 0;
  int hardware_threads = 0;
  int memory_nodes = 0;
  std::vector<Cache> caches;               // from small to large
  std::uint64_t last_cache_bytes() const;  // of all caches of the last level together
};

Topology read_topology();

// Spreads the pages of a range that has not been touched yet over all memory nodes in turn, so that threads
// on all of them share their bandwidth. Does nothing on a machine with one node, or where the system refuses.
void interleave_pages(std::span<std::byte> range);

}  // namespace cistern::sys
