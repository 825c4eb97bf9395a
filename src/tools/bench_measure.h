// The measurements of the bench command: prefill and decoding at several depths and batch sizes, each
// repetition next to a measurement of the machine's limits, because bandwidth changes within minutes. No
// printing.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/bench_session.h"

namespace cistern::tools {

// The machine's limits, measured when called: quick, some 0.1 s each.
struct MachineLimits {
  std::function<double()> read_gbps;                 // 1e9 bytes per second from memory
  std::function<double(kernels::Arithmetic)> gmacs;  // 1e9 multiply-accumulates per second
  std::function<double()> disk_gbps;                 // from the model's disk; asked for when it is streamed
};

// What a step cannot be faster than.
enum class Bound { kReading, kArithmetic, kDisk };

struct BenchCase {
  enum class What { kPrefill, kDecode } what = What::kDecode;
  std::uint32_t depth = 0;   // tokens in the cache before
  std::uint32_t batch = 1;   // sequences together
  std::uint32_t tokens = 0;  // read, or generated per sequence
};

struct Spread {
  double median = 0, min = 0, max = 0;
};
Spread spread_of(std::vector<double> values);  // REQUIRES: not empty

struct BenchResult {
  BenchCase measured;
  Spread tok_s;            // of all sequences together
  double limit_tok_s = 0;  // median
  double share = 0;        // median of tok_s / limit of the same repetition
  Bound bound = Bound::kArithmetic;
  double disk_bytes_per_token = 0;  // median; 0: nothing was streamed
};

struct BenchPlan {
  std::vector<BenchCase> cases;
  int repetitions = 5;
  std::function<Result<void>(std::size_t done, std::size_t of)>
      progress;  // an error ends the run; may be empty
};

// Results in the order of the cases. One repetition more than asked for warms up.
Result<std::vector<BenchResult>> run_bench(engine::BenchSession& session, const MachineLimits& limits,
                                           const BenchPlan& plan);

}  // namespace cistern::tools
