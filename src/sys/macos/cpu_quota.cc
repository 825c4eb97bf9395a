#include "sys/topology.h"

namespace cistern::sys {

std::optional<double> cpu_quota() {
  return std::nullopt;
}

}  // namespace cistern::sys
