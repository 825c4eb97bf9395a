// What the blocks of one decoder step share: the executor, the store, the activations of the chunk and where
// it stands in its sequence. Made by the decoder for each step; the blocks write only into its buffers.
#pragma once

#include <cstdint>
#include <span>

#include "kv/cache.h"
#include "ops/exec.h"
#include "plan/compute_layout.h"
#include "spec/model_spec.h"
#include "store/weight_store.h"
#include "tensor/view.h"

namespace cistern::model {

struct Step {
  const ops::Exec& exec;
  store::WeightStore& store;
  const spec::ModelSpec& model;
  kv::Cache& cache;
  std::span<std::byte> arena;
  const plan::ComputeLayout& layout;
  std::uint32_t n_tokens = 0;
  std::uint32_t first_position = 0;
  bool long_rope = false;  // LongRoPE: the sequence outgrew its original context

  // f32 (cols, n_tokens) at a byte offset of the arena.
  TensorView buffer(std::uint64_t offset, std::uint64_t cols) const {
    return {.dtype = DType::kF32, .shape = Shape(cols, n_tokens), .data = arena.data() + offset};
  }
  TensorView residual() const { return buffer(layout.residual, model.dim); }
  TensorView normed() const { return buffer(layout.normed, model.dim); }
};

}  // namespace cistern::model
