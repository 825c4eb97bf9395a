#include "sys/topology.h"

#include <hwloc.h>

#include <algorithm>
#include <thread>

namespace cistern::sys {
namespace {

// Cores with at least one processor in the affinity mask; 0 when hwloc cannot tell.
int count_cores(hwloc_topology_t topology, hwloc_bitmap_t allowed) {
  // Fails where the system has no affinity (macOS): then all processors count.
  if (hwloc_get_cpubind(topology, allowed, HWLOC_CPUBIND_PROCESS) != 0) hwloc_bitmap_fill(allowed);
  int cores = 0;
  for (hwloc_obj_t core = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, nullptr); core != nullptr;
       core = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, core)) {
    if (hwloc_bitmap_intersects(core->cpuset, allowed) != 0) ++cores;
  }
  return cores;
}

int physical_cores() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return 0;
  int cores = 0;
  hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
  if (allowed != nullptr && hwloc_topology_load(topology) == 0) cores = count_cores(topology, allowed);
  hwloc_bitmap_free(allowed);
  hwloc_topology_destroy(topology);
  return cores;
}

}  // namespace

int usable_cores() {
  int cores = physical_cores();
  if (cores == 0) cores = static_cast<int>(std::thread::hardware_concurrency());
  if (const auto quota = cpu_quota()) cores = std::min(cores, static_cast<int>(std::min(*quota, 1e6)));
  return std::max(cores, 1);
}

}  // namespace cistern::sys
