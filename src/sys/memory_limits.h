// What memory this process may still take, from every side that can say no: the machine, its cgroup
// (container) and the address-space limit (ulimit -v). plan/ takes the smallest as the budget of a run. A
// snapshot: read it again for fresh numbers. Thread-safe; reading never fails (what the system does not tell
// is no limit).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cistern::sys {

struct MemoryLimits {
  std::uint64_t physical_bytes = 0;   // RAM of the machine
  std::uint64_t available_bytes = 0;  // of it free or reclaimable (Linux: MemAvailable)
  // Left in the tightest cgroup above this process: limit minus use that cannot be reclaimed. Linux counts
  // memory.high as a limit too: beyond it a process is throttled until it crawls.
  std::optional<std::uint64_t> cgroup_bytes;
  std::optional<std::uint64_t> address_space_bytes;  // RLIMIT_AS minus what is mapped now

  std::uint64_t budget_bytes() const;  // the smallest of them
  std::string describe() const;        // one line: which one is the smallest, and its size
};

MemoryLimits read_memory_limits();

std::uint64_t current_rss_bytes();  // resident set of this process; 0 if the system does not tell
std::uint64_t peak_rss_bytes();     // its maximum since the start

}  // namespace cistern::sys
