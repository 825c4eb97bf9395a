#include "sys/linux/cgroup.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "sys/linux/proc_text.h"

namespace cistern::sys {
namespace {

namespace fs = std::filesystem;

// Version 1 has no word for "no limit": it is a number near 2^63, rounded to pages.
constexpr std::uint64_t kV1NoLimit = std::uint64_t{1} << 60U;

// Is `name` one of the comma-separated `controllers`? Version 2 lists none: there both are empty.
bool lists(std::string_view controllers, std::string_view name) {
  while (controllers != name) {
    const std::size_t comma = controllers.find(',');
    if (comma == std::string_view::npos) return false;
    if (controllers.substr(0, comma) == name) return true;
    controllers.remove_prefix(comma + 1);
  }
  return true;
}

// The directories of the process's groups for a controller, innermost first. `controller` empty: version 2.
std::vector<fs::path> group_directories(const fs::path& root, std::string_view controller) {
  const fs::path mount = root / "sys/fs/cgroup" / controller;
  const std::string groups = read_small_file(root / "proc/self/cgroup").value_or("");
  std::string_view rest = groups;
  while (!rest.empty()) {
    // "hierarchy:controllers:/path"
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    if (!lists(line.substr(first + 1, second - first - 1), controller)) continue;

    // Inside a container the path may name a group that is not visible here; its ancestors and the mount's
    // own root still are. ".." (a group outside our namespace) has nothing visible but the mount.
    std::string_view path = line.substr(second + 1);
    if (path.find("..") != std::string_view::npos) path = "/";
    std::vector<fs::path> directories;
    for (fs::path group = fs::path(path).relative_path(); !group.empty(); group = group.parent_path()) {
      directories.push_back(mount / group);
    }
    directories.push_back(mount);
    return directories;
  }
  return {};
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
  const auto text = read_small_file(file);
  return text ? parse_u64(*text) : std::nullopt;  // "max" is no number: no limit
}

template <class T>
void keep_smaller(std::optional<T>& smallest, std::optional<T> candidate) {
  if (candidate && (!smallest || *candidate < *smallest)) smallest = candidate;
}

// Use of a group that the kernel could not get back by dropping file pages.
std::uint64_t firm_use(const fs::path& usage_file, const fs::path& stat_file, std::string_view prefix) {
  const std::uint64_t used = number_in(usage_file).value_or(0);
  const std::string stat = read_small_file(stat_file).value_or("");
  const auto pages = [&](std::string_view name) {
    return find_number(stat, std::string(prefix).append(name)).value_or(0);
  };
  const std::uint64_t droppable = pages("inactive_file") + pages("active_file");
  return used - std::min(used, droppable);
}

std::optional<std::uint64_t> left(std::optional<std::uint64_t> limit, std::uint64_t used) {
  if (!limit) return std::nullopt;
  return *limit - std::min(*limit, used);
}

}  // namespace

std::optional<std::uint64_t> cgroup_memory_left(const fs::path& root) {
  std::optional<std::uint64_t> smallest;
  for (const fs::path& group : group_directories(root, "")) {
    std::optional<std::uint64_t> limit = number_in(group / "memory.max");
    keep_smaller(limit, number_in(group / "memory.high"));
    keep_smaller(smallest, left(limit, firm_use(group / "memory.current", group / "memory.stat", "")));
  }
  for (const fs::path& group : group_directories(root, "memory")) {
    std::optional<std::uint64_t> limit = number_in(group / "memory.limit_in_bytes");
    if (limit && *limit >= kV1NoLimit) limit.reset();
    keep_smaller(smallest,
                 left(limit, firm_use(group / "memory.usage_in_bytes", group / "memory.stat", "total_")));
  }
  return smallest;
}

std::optional<double> cgroup_cpus(const fs::path& root) {
  std::optional<double> smallest;
  const auto consider = [&](std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period) {
    if (!quota || !period || *period == 0) return;
    keep_smaller<double>(smallest, static_cast<double>(*quota) / static_cast<double>(*period));
  };
  for (const fs::path& group : group_directories(root, "")) {
    const std::string text =
        read_small_file(group / "cpu.max").value_or("");  // "200000 100000", "max 100000"
    const std::size_t space = text.find(' ');
    if (space != std::string::npos)
      consider(parse_u64(text), parse_u64(std::string_view(text).substr(space)));
  }
  for (const fs::path& group : group_directories(root, "cpu")) {
    consider(number_in(group / "cpu.cfs_quota_us"),
             number_in(group / "cpu.cfs_period_us"));  // quota -1: none
  }
  return smallest;
}

}  // namespace cistern::sys
