// The forward pass: token ids in, logits out, one chunk of one sequence at a time. Declares nothing about
// requests or text. Uses the arena and the cache that the plan sized and allocates nothing in a step. Not
// thread-safe; it fans out over the threads of its Exec.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "file/inventory.h"
#include "kv/cache.h"
#include "model/weights.h"
#include "ops/exec.h"
#include "plan/compute_layout.h"
#include "spec/model_spec.h"
#include "store/weight_store.h"

namespace cistern::model {

class Decoder {
 public:
  struct Parts {
    const spec::ModelSpec& model;
    const file::Inventory& inventory;
    store::WeightStore& store;
    const plan::ComputeLayout& layout;
    std::span<std::byte> arena;  // layout.total_bytes
    ops::Exec exec;
  };
  // The parts must outlive the decoder.
  explicit Decoder(const Parts& parts);

  // Runs `tokens` (1 to chunk_tokens of them, ids below n_vocab) at positions cache.length().. and advances
  // the cache. REQUIRES: they fit the context. On an error the cache is as before.
  Result<void> forward(std::span<const std::uint32_t> tokens, bool long_rope, kv::Cache& cache);

  // Logits after tokens [first, first + count) of the last forward(), count <= logit_rows: n_vocab values
  // each, row after row; valid until the next call.
  Result<std::span<const float>> logits(std::uint32_t first, std::uint32_t count);

 private:
  Parts parts_;
  ModelWeights weights_;
  std::uint32_t n_tokens_ = 0;  // of the last forward()
};

}  // namespace cistern::model
