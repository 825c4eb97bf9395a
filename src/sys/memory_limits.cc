#include "sys/memory_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace cistern::sys {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(std::uint64_t{1} << 30U);
}

}  // namespace

std::uint64_t MemoryLimits::budget_bytes() const {
  return std::min({physical_bytes, available_bytes, cgroup_bytes.value_or(kNoLimit),
                   address_space_bytes.value_or(kNoLimit)});
}

std::string MemoryLimits::describe() const {
  const std::uint64_t budget = budget_bytes();
  if (cgroup_bytes == budget)
    return fmt::format("{:.2f} GiB left under the cgroup's memory limit", gib(budget));
  if (address_space_bytes == budget) {
    return fmt::format("{:.2f} GiB left under the address-space limit (ulimit -v)", gib(budget));
  }
  return fmt::format("{:.2f} GiB available of {:.2f} GiB of RAM", gib(budget), gib(physical_bytes));
}

}  // namespace cistern::sys
