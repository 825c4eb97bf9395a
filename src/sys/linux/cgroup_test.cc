#include "sys/linux/cgroup.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"
#include "sys/linux/proc_text.h"

namespace cistern::sys {
namespace {

using testing::TempDir;

TEST(CgroupV2, NoFilesIsNoLimit) {
  const TempDir root;
  EXPECT_EQ(cgroup_memory_left(root.path()), std::nullopt);
  EXPECT_EQ(cgroup_cpus(root.path()), std::nullopt);
}

TEST(CgroupV2, TheTightestGroupOnThePathWins) {
  const TempDir root;
  root.write("proc/self/cgroup", "0::/outer/inner\n");
  root.write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  root.write("sys/fs/cgroup/outer/memory.max", "3000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 3000U);
  root.write("sys/fs/cgroup/outer/inner/memory.max", "2000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 2000U);
  root.write("sys/fs/cgroup/memory.max", "1000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 1000U);
}

TEST(CgroupV2, UseCountsButDroppableFilePagesDoNot) {
  const TempDir root;
  root.write("proc/self/cgroup", "0::/a\n");
  root.write("sys/fs/cgroup/a/memory.max", "10000\n");
  root.write("sys/fs/cgroup/a/memory.current", "7000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 3000U);
  root.write("sys/fs/cgroup/a/memory.stat", "anon 1000\nfile 6000\ninactive_file 4000\nactive_file 2000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 9000U);
  root.write("sys/fs/cgroup/a/memory.current", "20000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 0U);
}

TEST(CgroupV2, HighIsALimitToo) {
  const TempDir root;
  root.write("proc/self/cgroup", "0::/a\n");
  root.write("sys/fs/cgroup/a/memory.max", "10000\n");
  root.write("sys/fs/cgroup/a/memory.high", "8000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 8000U);
  root.write("sys/fs/cgroup/a/memory.high", "max\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 10000U);
}

TEST(CgroupV2, InvisiblePathsFallBackToTheMount) {
  const TempDir root;
  root.write("sys/fs/cgroup/memory.max", "5000\n");
  root.write("proc/self/cgroup", "0::/../sibling\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 5000U);
  root.write("proc/self/cgroup", "0::/docker/0123\n");  // the host's path, not mounted here
  EXPECT_EQ(cgroup_memory_left(root.path()), 5000U);
  root.write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 5000U);
}

TEST(CgroupV1, LimitMinusUse) {
  const TempDir root;
  root.write("proc/self/cgroup", "9:name=systemd:/\n5:devices:/x\n4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), std::nullopt);  // how version 1 writes "none"
  root.write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "8000\n");
  root.write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "3000\n");
  root.write("sys/fs/cgroup/memory/box/memory.stat",
             "inactive_file 1\nactive_file 1\ntotal_inactive_file 500\ntotal_active_file 500\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 6000U);
  root.write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "150000\n");
  root.write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpus(root.path()), 1.5);
  root.write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(cgroup_cpus(root.path()), std::nullopt);
}

TEST(CgroupV2, CpuQuota) {
  const TempDir root;
  root.write("proc/self/cgroup", "0::/a/b\n");
  root.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpus(root.path()), std::nullopt);
  root.write("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  EXPECT_EQ(cgroup_cpus(root.path()), 2.5);
  root.write("sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpus(root.path()), 0.5);
  root.write("sys/fs/cgroup/a/b/cpu.max", "50000 0\n");
  EXPECT_EQ(cgroup_cpus(root.path()), 2.5);
}

TEST(Cgroup, GarbageIsNoLimit) {
  const TempDir root;
  root.write("sys/fs/cgroup/memory.max", "\xff\xfe garbage\n");
  root.write("sys/fs/cgroup/cpu.max", "\n\n\n");
  for (const char* groups : {"", "\n\n", ":", "0:", "0::", "::::", "0::relative", "memory", "4:memory"}) {
    root.write("proc/self/cgroup", std::string_view(groups));
    EXPECT_EQ(cgroup_memory_left(root.path()), std::nullopt) << groups;
    EXPECT_EQ(cgroup_cpus(root.path()), std::nullopt) << groups;
  }
}

TEST(ProcText, FindsNumbers) {
  constexpr std::string_view kText = "MemTotal:       24683456 kB\nMemAvailable:\t100 kB\nFoo 7\nFoobar: x\n";
  EXPECT_EQ(find_number(kText, "MemTotal:"), 24683456U);
  EXPECT_EQ(find_number(kText, "MemAvailable:"), 100U);
  EXPECT_EQ(find_number(kText, "Foo"), 7U);
  EXPECT_EQ(find_number(kText, "Foobar:"), std::nullopt);
  EXPECT_EQ(find_number(kText, "Mem"), std::nullopt);
  EXPECT_EQ(find_number("", "x"), std::nullopt);
  EXPECT_EQ(parse_u64("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_u64("-1"), std::nullopt);
}

}  // namespace
}  // namespace cistern::sys
