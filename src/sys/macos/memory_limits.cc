#include "sys/memory_limits.h"

#include <mach/mach.h>
#include <sys/resource.h>
#include <sys/sysctl.h>

namespace cistern::sys {
namespace {

std::uint64_t sysctl_number(const char* name) {
  std::uint64_t value = 0;
  std::size_t size = sizeof(value);
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

// Free, inactive and purgeable pages: what the system can give without swapping.
std::uint64_t available_bytes() {
  vm_statistics64_data_t stats = {};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&stats), &count) !=
      KERN_SUCCESS) {
    return sysctl_number("hw.memsize");
  }
  const std::uint64_t pages = std::uint64_t{stats.free_count} + stats.inactive_count + stats.purgeable_count;
  return pages * vm_kernel_page_size;
}

}  // namespace

MemoryLimits read_memory_limits() {
  MemoryLimits limits;
  limits.physical_bytes = sysctl_number("hw.memsize");
  limits.available_bytes = available_bytes();
  return limits;  // no cgroups, and RLIMIT_AS is not enforced
}

std::uint64_t current_rss_bytes() {
  mach_task_basic_info info = {};
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  const kern_return_t status =
      task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info), &count);
  return status == KERN_SUCCESS ? info.resident_size : 0;
}

std::uint64_t peak_rss_bytes() {
  rusage usage = {};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::uint64_t>(usage.ru_maxrss) : 0;  // bytes here
}

}  // namespace cistern::sys
