// The speeds of this machine that forecasts are made from (plan/forecast.h), measured in a moment and kept in
// a small file in the user's cache folder, so that most runs measure nothing. Bandwidth changes within
// minutes on shared machines: its latest values are kept too, as a measure of how much. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "file/inventory.h"
#include "plan/forecast.h"
#include "sys/cpu_features.h"
#include "sys/topology.h"

namespace cistern::tools {

struct SpeedWanted {
  const sys::Topology* topology = nullptr;  // of this machine, where it is known already
  sys::Isa isa = sys::Isa::kScalar;
  int threads = 1;
  const file::Inventory* inventory = nullptr;  // whose types of weights are looked at
  std::string disk_path;                       // a file to measure the disk with; empty: not measured
  bool measure = true;                         // else what is known has to do
  // To measure the bandwidth of memory with: a model's, which is there anyway (none: what is known has to
  // do). Nothing: memory of its own, for a moment.
  std::optional<std::span<const std::byte>> memory;
  bool fresh = false;  // measure the bandwidth of memory now (0.2 s), whatever is known
};

// What is not known and cannot be measured is 0; what cannot be kept is measured again next time.
plan::MachineSpeed local_speed(const SpeedWanted& wanted);

// Of the bytes of these files, the share that is in memory already (the page cache); 1 for a model that is
// in memory anyway.
double cached_share(const file::ModelFiles& files);

}  // namespace cistern::tools
