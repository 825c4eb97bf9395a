#include "sys/memory_limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "sys/linux/cgroup.h"
#include "sys/linux/proc_text.h"

namespace cistern::sys {
namespace {

std::optional<std::uint64_t> address_space_left(std::string_view process_status) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  const std::uint64_t mapped = find_number(process_status, "VmSize:").value_or(0) * 1024;
  return limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, mapped);
}

std::string process_status() {
  return read_small_file("/proc/self/status").value_or("");
}

}  // namespace

MemoryLimits read_memory_limits() {
  MemoryLimits limits;
  limits.physical_bytes =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::string meminfo = read_small_file("/proc/meminfo").value_or("");
  const auto available_kib = find_number(meminfo, "MemAvailable:");
  limits.available_bytes = available_kib ? *available_kib * 1024 : limits.physical_bytes;
  limits.cgroup_bytes = cgroup_memory_left("/");
  limits.address_space_bytes = address_space_left(process_status());
  return limits;
}

std::uint64_t current_rss_bytes() {
  return find_number(process_status(), "VmRSS:").value_or(0) * 1024;
}

// Not getrusage: its maximum is inherited from the process that called exec.
std::uint64_t peak_rss_bytes() {
  return find_number(process_status(), "VmHWM:").value_or(0) * 1024;
}

}  // namespace cistern::sys
