// The limits of the control groups (containers, systemd slices) that this process is in, version 1 and 2:
// every group from the process's own up to the root counts, the tightest wins. `root` is "/" or a test's fake
// tree with proc/self/cgroup and sys/fs/cgroup below it. Thread-safe. Formats: the kernel's cgroup-v1 and
// cgroup-v2 guides.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace cistern::sys {

// Bytes that may still be taken: limit minus use, where file pages that the kernel can drop do not count as
// use.
std::optional<std::uint64_t> cgroup_memory_left(const std::filesystem::path& root);

// Processors' worth of time per second: cpu.max, or cpu.cfs_quota_us over cpu.cfs_period_us.
std::optional<double> cgroup_cpus(const std::filesystem::path& root);

}  // namespace cistern::sys
