// How fast a planned run will be on a machine whose speeds have been measured. A step takes as long as its
// parts: each type of weights at the bandwidth of memory or, where unpacking is slower, at that; keys and
// values; products with many tokens; a fixed time per operation; and what must come from disk. Where reading
// and computing overlap, their times are joined by a norm, which lies between the larger and the sum. The
// constants are fitted to this engine, not to a machine (docs/plan.md). Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "kernels/kernel_table.h"
#include "ops/product_probe.h"
#include "plan/interval.h"
#include "plan/memory_plan.h"
#include "plan/step_work.h"
#include "spec/model_spec.h"

namespace cistern::plan {

// What a machine can do, measured. Zero: not known.
struct MachineSpeed {
  double read_bytes_per_s = 0;         // of memory, all threads
  double read_spread = 0;              // standard deviation of its logarithm from one minute to another
  double disk_bytes_per_s = 0;         // of the model's file
  double commit_bytes_per_s = 0;       // of memory that the system hands out, zeroed
  double slow_commit_bytes_per_s = 0;  // of much of it, which nobody has given back a moment ago
  double dispatch_s = 0;               // to hand work to all threads
  double bf16_macs_per_s = 0;          // peaks
  double float_macs_per_s = 0;
  std::array<ops::ProductSpeed, kDTypeCount> products{};  // of the types that the model has
};

struct ForecastQuestion {
  std::uint32_t prompt_tokens = 512;
  std::uint32_t decode_depth = 0;   // tokens in the cache while others are generated, the mean
  std::uint32_t depth = 0;          // tokens in the cache before the prompt
  std::uint32_t filled_tokens = 0;  // of the context, in the end; 0: all of it
  double cached_share = 1;          // of the file that is in memory already, when it is opened
};

// What a step waits for most.
enum class Limit { kMemory, kArithmetic, kDisk };
std::string_view name_of(Limit limit);  // "memory", "arithmetic", "disk"

struct Forecast {
  Interval load_s;
  Interval prefill_tok_s;
  Interval first_token_s;      // of a prompt, once the model is loaded
  Interval decode_tok_s;       // at decode_depth, all sequences together
  Interval decode_half_tok_s;  // with half of the context filled
  Interval decode_full_tok_s;  // with all of it
  Interval peak_bytes;
  double limit_tok_s = 0;  // decoding at decode_depth cannot be faster
  Limit limited_by = Limit::kMemory;
};

// What follows from a speed that is not known is left at 0. REQUIRES: a plan of this model and inventory.
Forecast forecast(const spec::ModelSpec& model, const file::Inventory& inventory, const MemoryPlan& plan,
                  std::uint32_t sequences, const MachineSpeed& speed, const ForecastQuestion& question);

}  // namespace cistern::plan
