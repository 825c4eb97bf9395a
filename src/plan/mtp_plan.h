// The part of the memory plan that is for guessing with the model's own layer that predicts further tokens
// (spec::ModelSpec::mtp): a cache and buffers of its own. It works when the model does not, so their
// activations share memory; only the hidden states between them are apart. Pure functions.
#pragma once

#include <cstdint>

#include "file/inventory.h"
#include "kv/cache_shape.h"
#include "plan/compute_layout.h"
#include "spec/model_spec.h"

namespace cistern::plan {

struct MtpPlan {
  kv::CacheShape cache;           // of one sequence
  ComputeLayout compute;          // offsets in the model's arena
  std::uint64_t hidden = 0;       // offset there, beyond both layouts: f32 (dim, hidden_rows)
  std::uint32_t hidden_rows = 0;  // a chunk's, and the one before
  std::uint64_t arena_bytes = 0;  // of all this and the model's own layout
};

// Bytes of the tensors that it does not share with the model.
std::uint64_t mtp_weight_bytes(const spec::ModelSpec& model, const file::Inventory& inventory);

// `layer` is what its layer leaves behind; `cache` and `compute` are the model's. REQUIRES: model.mtp.
MtpPlan make_mtp_plan(const spec::ModelSpec& model, const kv::LayerShape& layer, const kv::CacheShape& cache,
                      const ComputeLayout& compute);

}  // namespace cistern::plan
