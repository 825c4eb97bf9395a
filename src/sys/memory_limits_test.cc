#include "sys/memory_limits.h"

#include <gtest/gtest.h>

#include <vector>

#include "sys/clock.h"
#include "sys/topology.h"

namespace cistern::sys {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

TEST(MemoryLimits, TheSmallestIsTheBudget) {
  MemoryLimits limits{
      .physical_bytes = 8 * kGiB, .available_bytes = 6 * kGiB, .cgroup_bytes = {}, .address_space_bytes = {}};
  EXPECT_EQ(limits.budget_bytes(), 6 * kGiB);
  EXPECT_EQ(limits.describe(), "6.00 GiB available of 8.00 GiB of RAM");
  limits.address_space_bytes = 5 * kGiB;
  EXPECT_EQ(limits.budget_bytes(), 5 * kGiB);
  EXPECT_EQ(limits.describe(), "5.00 GiB left under the address-space limit (ulimit -v)");
  limits.cgroup_bytes = 3 * kGiB / 2;
  EXPECT_EQ(limits.budget_bytes(), 3 * kGiB / 2);
  EXPECT_EQ(limits.describe(), "1.50 GiB left under the cgroup's memory limit");
  limits.cgroup_bytes = 100 * kGiB;
  EXPECT_EQ(limits.budget_bytes(), 5 * kGiB);
}

TEST(MemoryLimits, ThisMachineHasMemory) {
  const MemoryLimits limits = read_memory_limits();
  EXPECT_GT(limits.physical_bytes, kGiB / 4);
  EXPECT_GT(limits.available_bytes, 0U);
  EXPECT_LE(limits.available_bytes, limits.physical_bytes);
  EXPECT_GT(limits.budget_bytes(), 0U);
  EXPECT_LE(limits.budget_bytes(), limits.physical_bytes);
}

TEST(ResidentSet, GrowsWithUse) {
  const std::uint64_t before = current_rss_bytes();
  EXPECT_GT(before, 0U);
  EXPECT_GE(peak_rss_bytes(), before);
  {
    const std::vector<char> touched(std::size_t{64} << 20U, 'x');
    EXPECT_EQ(touched[12345], 'x');
    EXPECT_GE(current_rss_bytes(), before + (std::uint64_t{32} << 20U));
  }
  EXPECT_GE(peak_rss_bytes(), before + (std::uint64_t{32} << 20U));
}

TEST(Topology, AtLeastOneCore) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_LE(usable_cores(), 100000);
  EXPECT_GT(cpu_quota().value_or(1.0), 0.0);
}

TEST(Clock, GoesForward) {
  const double first = steady_seconds();
  EXPECT_GE(steady_seconds(), first);
}

}  // namespace
}  // namespace cistern::sys
