// What the kernels' tests share: each runs for every level that this machine has, named after it. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sys/cpu_features.h"

namespace cistern::kernels {

inline std::vector<sys::Isa> host_isas() {
  std::vector<sys::Isa> isas;
  for (const sys::Isa isa : sys::kAllIsas) {
    if (sys::host_has(isa)) isas.push_back(isa);
  }
  return isas;
}

inline std::string isa_test_name(const ::testing::TestParamInfo<sys::Isa>& instance) {
  std::string name(sys::name_of(instance.param));
  std::erase(name, '-');
  return name;
}

}  // namespace cistern::kernels
