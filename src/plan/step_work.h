// What a step of the decoder must do at the least: bytes to read and products to compute, counted from the
// same spec and tensors that the memory plan counts. Limits of speed and forecasts divide these by what the
// machine can do. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "file/inventory.h"
#include "kernels/kernel_table.h"
#include "kv/cache_shape.h"
#include "spec/model_spec.h"

namespace cistern::plan {

struct StepWork {
  std::uint64_t weight_bytes = 0;  // each weight that takes part, once for all tokens of the step
  std::uint64_t kv_bytes = 0;      // keys and values that the tokens see
  // Multiply-accumulates, with weights and in attention, by the arithmetic that computes them.
  std::array<std::uint64_t, kernels::kArithmeticCount> macs{};
};

struct StepShape {
  std::uint32_t depth = 0;      // tokens in each sequence's cache before the step
  std::uint32_t tokens = 1;     // appended to each sequence
  std::uint32_t sequences = 1;  // one row of logits each
};

// What a step does with one tensor of weights.
struct WeightWork {
  DType dtype = DType::kF32;
  double bytes = 0;     // read, once for all tokens
  double values = 0;    // that are read
  double macs = 0;      // 0: no product, such as a norm
  bool routed = false;  // of experts
};

// Of every tensor that takes part. Tokens choose experts as if at random.
std::vector<WeightWork> weight_work_of(const spec::ModelSpec& model, const file::Inventory& inventory,
                                       const StepShape& step);

// Bytes of keys, values and states that a step reads, and multiply-accumulates of attention.
struct CacheWork {
  std::uint64_t bytes = 0;
  std::uint64_t macs = 0;
  std::uint64_t index_macs = 0;  // of indexers, in floats
};
CacheWork cache_work_of(const spec::ModelSpec& model, const kv::CacheShape& cache, const StepShape& step);

StepWork work_of(const spec::ModelSpec& model, const file::Inventory& inventory, const kv::CacheShape& cache,
                 const kernels::KernelTable& kernels, const StepShape& step);

}  // namespace cistern::plan
