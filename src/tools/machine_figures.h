// What the machine can do, measured: the figures of `cistern machine`, and their form as JSON, in which they
// are also cached (machine_cache.h). No printing; single-threaded.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/cpu_features.h"
#include "sys/disk_speed.h"

namespace cistern::tools {

struct ThreadFigures {
  int threads = 0;
  double read_gbps = 0;   // 1e9 bytes per second
  double int8_gmacs = 0;  // 1e9 multiply-accumulates per second
  double bf16_gmacs = 0;
  double f32_gmacs = 0;
};

// Products of one type of weights, by all threads.
struct TypeFigures {
  std::string type;
  double decode_gbps = 0;    // one token, weights in cache
  double prefill_gmacs = 0;  // many tokens
};

struct MachineFigures {
  std::vector<ThreadFigures> by_threads;  // the last one: all threads
  std::string read_pattern;               // the fastest, of all threads
  std::string int8_instructions;
  std::string bf16_instructions;
  std::string f32_instructions;
  std::vector<TypeFigures> by_type;
  std::optional<sys::DiskSpeed> disk;
  std::string disk_note;           // what was read, or why nothing was
  std::uint64_t memory_bytes = 0;  // that was read from; much more than the caches, or they were measured too
  double seconds = 0;              // that measuring took
  std::int64_t measured_at = 0;    // seconds since 1970
};

struct MachineMeasuring {
  int threads = 1;
  sys::Isa isa = sys::Isa::kScalar;
  std::uint64_t memory_bytes = 1ULL << 30U;  // to read from; less where memory is short
  double seconds = 8;                        // about; more with many threads
  std::string disk;                          // a file or folder; empty: not measured
  std::function<void(const std::string&)> progress;
};

// kMemory when there is none to read from. A disk that cannot be measured is no error: disk_note says why.
Result<MachineFigures> measure_machine(const MachineMeasuring& measuring);

boost::json::object figures_json(const MachineFigures& figures);
// Nothing when `json` does not hold what figures_json() writes.
std::optional<MachineFigures> figures_from_json(const boost::json::object& json);

// Memory that may be taken for measuring: `wanted`, or a quarter of what is left.
std::uint64_t probe_memory_bytes(std::uint64_t wanted);

}  // namespace cistern::tools
