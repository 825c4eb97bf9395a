// Who computes what: the share of a model's weights that each part of a machine reads for a token. GPUs hold
// what every token reads before they hold experts; the CPU does the rest, after them, not beside them.
// Internal to plan/; refers to the System it was made from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plan/time_model.h"

namespace cistern::plan {

// A CPU, or the CPU cores of a chip.
struct CpuSpeed {
  std::string architecture;
  int sockets = 1;
  double bandwidth_gbps = 0;  // of one socket: more of them read each other's memory
  double fp32_tflops = 0;     // of all
  double int8_tops = 0;
};

struct TimeParts {
  Interface interface = Interface::kCpu;  // never kAutomatic
  std::string_view app;                   // of programs other than llama.cpp: "ik", "ollama", ...; or empty
  std::string_view flavour;               // of the CPU's kernels: "main" or "ik"
  const Part* gpu = nullptr;              // the first of the devices; all count as like it
  double gpu_bytes = 0;                   // memory of all of them
  std::optional<CpuSpeed> cpu;            // where it has a share
  double gpu_dense = 0;                   // share of the weights that every token reads
  double gpu_routed = 0;                  // and of the experts
};

// Errors: kUsage.
Result<TimeParts> time_parts(const Work& work, const System& system, const Backend& backend);

// "cuda", "cpu", ...
std::string_view interface_name(Interface interface);

}  // namespace cistern::plan
