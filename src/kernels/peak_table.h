// Loops that do nothing but multiply or nothing but read, written to reach what the processor can do at most:
// the limits that `cistern bench` judges its figures by. One entry per instruction mix and access pattern;
// which is the fastest is found out by running them (ops/machine_probe.h). One thread each, no allocation, no
// errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/panel.h"
#include "sys/cpu_features.h"

namespace cistern::kernels {

// Multiplies values in registers. run() returns a checksum, so that the compiler cannot leave the work out.
struct PeakLoop {
  sys::Isa isa = sys::Isa::kScalar;  // needed at least
  Arithmetic arithmetic = Arithmetic::kFloat;
  std::string_view instructions;
  std::uint32_t macs_per_round = 0;  // multiplications, each with its addition
  std::uint32_t (*run)(std::uint64_t rounds) noexcept = nullptr;
};

// Reads a range once, as several streams side by side that share it in equal parts.
struct ReadLoop {
  sys::Isa isa = sys::Isa::kScalar;
  int streams = 1;
  bool prefetches = false;  // `ahead` bytes before the load; ignored otherwise
  // REQUIRES: data aligned to 64 bytes, n_bytes a multiple of streams * kReadStepBytes.
  std::uint64_t (*run)(const std::byte* data, std::size_t n_bytes, std::size_t ahead) noexcept = nullptr;
};
inline constexpr std::size_t kReadStepBytes = 256;

// All loops of this build; those whose `isa` the machine has may be run. Thread-safe.
std::span<const PeakLoop> peak_loops();
std::span<const ReadLoop> read_loops();

}  // namespace cistern::kernels
