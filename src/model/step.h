// What the blocks of one decoder step share: the executor, the store, the activations of all tokens, and
// which of them belong to which sequence. Made by the decoder for each step; the blocks write only into its
// buffers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/check.h"
#include "kv/cache.h"
#include "model/weights.h"
#include "ops/exec.h"
#include "plan/compute_layout.h"
#include "spec/model_spec.h"
#include "store/weight_store.h"
#include "tensor/view.h"

namespace cistern::model {

// Tokens of one sequence in a step: rows [first_row, first_row + n_tokens) of every buffer.
struct Segment {
  kv::Cache& cache;
  std::span<const std::uint32_t> ids;
  std::uint32_t earlier_tokens = 0;  // of the sequence, in earlier blocks of the same step
  std::uint32_t first_row = 0;
  std::uint32_t n_tokens = 0;
  bool long_rope = false;  // LongRoPE: the sequence outgrew its original context
  // Encoders with token types: the sequence's tokens that are of the first segment of a pair; all, when not
  // said.
  std::optional<std::uint32_t> first_segment;
  TensorView hidden;  // of a model that joins_hidden: for each token the hidden state before it

  std::uint32_t first_position() const { return cache.length() + earlier_tokens; }
};

struct Step {
  const ops::Exec& exec;
  store::WeightStore& store;
  const spec::ModelSpec& model;
  std::span<const Segment> segments;
  std::span<std::byte> arena;
  const plan::ComputeLayout& layout;
  std::uint32_t first_token = 0;  // of the tokens that go through the layers in one step, the block's first
  std::uint32_t n_tokens = 0;
  const spec::LayerSpec* next_layer = nullptr;  // of the layer after the one at hand, if there is one
  const WeightSet* next_weights = nullptr;

  // f32 (cols, n_tokens) at a byte offset of the arena.
  TensorView buffer(std::uint64_t offset, std::uint64_t cols) const {
    return {.dtype = DType::kF32, .shape = Shape(cols, n_tokens), .data = arena.data() + offset};
  }
  // The same of a buffer that holds the rows of all blocks.
  TensorView lasting_buffer(std::uint64_t offset, std::uint64_t cols) const {
    return buffer(offset + first_token * cols * sizeof(float), cols);
  }
  // All residual streams of a token side by side.
  TensorView residual() const {
    return lasting_buffer(layout.residual, std::uint64_t{model.n_streams} * model.dim);
  }
  TensorView normed() const { return buffer(layout.normed, model.dim); }
  TensorView block_out() const { return buffer(layout.block_out, model.dim); }
  TensorView kept() const { return buffer(layout.kept, model.dim); }
  TensorView per_layer() const {
    return lasting_buffer(layout.per_layer, std::uint64_t{model.per_layer_dim} * model.layers.size());
  }
  // What an indexer selected for some rows: top_k each. It stays for the layers that share it.
  std::span<std::uint32_t> selected_tokens(std::uint32_t first_row, std::uint32_t n_rows,
                                           std::uint32_t top_k) const {
    auto* begin = reinterpret_cast<std::uint32_t*>(arena.data() + layout.selected);
    return {begin + (std::size_t{first_token} + first_row) * top_k, std::size_t{n_rows} * top_k};
  }
};

// The memory of one block between its input and its output, taken piece by piece from the step's workspace.
class Workspace {
 public:
  explicit Workspace(const Step& step)
      : Workspace(step, step.layout.workspace, step.layout.workspace_bytes) {}
  // Of another region of the arena.
  Workspace(const Step& step, std::uint64_t offset, std::uint64_t bytes)
      : step_(&step), left_(step.arena.subspan(offset, bytes)) {}

  // f32 (cols, rows); as many rows as tokens when not said.
  TensorView take(std::uint64_t cols) { return take(cols, step_->n_tokens); }
  TensorView take(std::uint64_t cols, std::uint64_t rows) {
    return {.dtype = DType::kF32, .shape = Shape(cols, rows), .data = bytes(cols * rows)};
  }
  std::span<std::uint32_t> words(std::uint64_t count) {
    return {reinterpret_cast<std::uint32_t*>(bytes(count)), count};
  }
  std::span<float> floats(std::uint64_t count) { return {reinterpret_cast<float*>(bytes(count)), count}; }

 private:
  std::byte* bytes(std::uint64_t floats) {
    const std::uint64_t size = plan::aligned_bytes(floats);
    CISTERN_CHECK(size <= left_.size());
    std::byte* begin = left_.data();
    left_ = left_.subspan(size);
    return begin;
  }

  const Step* step_;
  std::span<std::byte> left_;
};

}  // namespace cistern::model
