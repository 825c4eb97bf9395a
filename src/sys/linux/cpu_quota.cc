#include "sys/linux/cgroup.h"
#include "sys/topology.h"

namespace cistern::sys {

std::optional<double> cpu_quota() {
  return cgroup_cpus("/");
}

}  // namespace cistern::sys
