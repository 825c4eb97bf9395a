#include "sys/topology.h"

#include <hwloc.h>

#include <algorithm>
#include <memory>
#include <thread>

namespace cistern::sys {
namespace {

// What hwloc knows, and the processors that this process may run on. Invalid when hwloc fails.
class Machine {
 public:
  Machine() : allowed_(hwloc_bitmap_alloc()) {
    if (hwloc_topology_init(&topology_) != 0) topology_ = nullptr;
    valid_ = topology_ != nullptr && allowed_ != nullptr && hwloc_topology_load(topology_) == 0;
    // Fails where the system has no affinity (macOS): then all processors count.
    if (valid_ && hwloc_get_cpubind(topology_, allowed_, HWLOC_CPUBIND_PROCESS) != 0) {
      hwloc_bitmap_fill(allowed_);
    }
  }
  ~Machine() {
    hwloc_bitmap_free(allowed_);
    if (topology_ != nullptr) hwloc_topology_destroy(topology_);
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  bool valid() const { return valid_; }
  hwloc_topology_t topology() const { return topology_; }

  // Calls f for every object of the type that has an allowed processor.
  template <class F>
  void for_each(hwloc_obj_type_t type, const F& f) const {
    for (hwloc_obj_t object = hwloc_get_next_obj_by_type(topology_, type, nullptr); object != nullptr;
         object = hwloc_get_next_obj_by_type(topology_, type, object)) {
      if (hwloc_bitmap_intersects(object->cpuset, allowed_) != 0) f(*object);
    }
  }
  int count(hwloc_obj_type_t type) const {
    int n = 0;
    for_each(type, [&n](const hwloc_obj&) { ++n; });
    return n;
  }

 private:
  hwloc_topology_t topology_ = nullptr;
  hwloc_bitmap_t allowed_;
  bool valid_ = false;
};

int hardware_threads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void add_caches(const Machine& machine, std::vector<Cache>& caches) {
  for (const hwloc_obj_type_t type :
       {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L5CACHE}) {
    machine.for_each(type, [&](const hwloc_obj& object) {
      const Cache cache{.level = static_cast<int>(object.attr->cache.depth),
                        .bytes = object.attr->cache.size};
      const auto same = std::ranges::find_if(
          caches, [&](const Cache& c) { return c.level == cache.level && c.bytes == cache.bytes; });
      if (same == caches.end()) {
        caches.push_back(cache);
        caches.back().count = 1;
      } else {
        ++same->count;
      }
    });
  }
}

}  // namespace

int usable_cores() {
  const Machine machine;
  int cores = machine.valid() ? machine.count(HWLOC_OBJ_CORE) : 0;
  if (cores == 0) cores = hardware_threads();
  if (const auto quota = cpu_quota()) cores = std::min(cores, static_cast<int>(std::min(*quota, 1e6)));
  return std::max(cores, 1);
}

std::uint64_t Topology::last_cache_bytes() const {
  std::uint64_t bytes = 0;
  for (const Cache& cache : caches) {
    if (cache.level == caches.back().level) bytes += cache.bytes * static_cast<std::uint64_t>(cache.count);
  }
  return bytes;
}

Topology read_topology() {
  const Machine machine;
  Topology found;
  if (machine.valid()) {
    const hwloc_obj_t root = hwloc_get_root_obj(machine.topology());
    machine.for_each(HWLOC_OBJ_PACKAGE, [&found](const hwloc_obj& package) {
      const char* model = hwloc_obj_get_info_by_name(const_cast<hwloc_obj*>(&package), "CPUModel");
      if (model != nullptr && found.processor.empty()) found.processor = model;
      ++found.packages;
    });
    const char* model = hwloc_obj_get_info_by_name(root, "CPUModel");
    if (model != nullptr && found.processor.empty()) found.processor = model;
    found.cores = machine.count(HWLOC_OBJ_CORE);
    found.hardware_threads = machine.count(HWLOC_OBJ_PU);
    found.memory_nodes = hwloc_get_nbobjs_by_type(machine.topology(), HWLOC_OBJ_NUMANODE);
    add_caches(machine, found.caches);
  }
  if (found.hardware_threads == 0) found.hardware_threads = hardware_threads();
  if (found.cores == 0) found.cores = found.hardware_threads;
  found.packages = std::max(found.packages, 1);
  found.memory_nodes = std::max(found.memory_nodes, 1);
  return found;
}

void interleave_pages(std::span<std::byte> range) {
  const Machine machine;
  if (!machine.valid() || range.empty()) return;
  if (hwloc_get_nbobjs_by_type(machine.topology(), HWLOC_OBJ_NUMANODE) < 2) return;
  hwloc_set_area_membind(machine.topology(), range.data(), range.size(),
                         hwloc_topology_get_topology_nodeset(machine.topology()), HWLOC_MEMBIND_INTERLEAVE,
                         HWLOC_MEMBIND_BYNODESET);
}

}  // namespace cistern::sys
