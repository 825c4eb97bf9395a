// Where each activation buffer of a decoder step lies in the one arena that the plan sizes: offsets in bytes,
// computed from the model's dimensions. model/ makes its views from these offsets and allocates nothing.
#pragma once

#include <cstdint>
#include <span>

#include "spec/adapter.h"
#include "spec/model_spec.h"

namespace cistern::plan {

// The next layer's experts are guessed for so many tokens at most: more want most of them anyway.
inline constexpr std::uint32_t kHintTokens = 4;

struct ComputeLayout {
  std::uint32_t chunk_tokens = 0;   // most tokens of one step
  std::uint32_t block_tokens = 0;   // of them go through a block together
  std::uint32_t max_sequences = 1;  // most sequences of one step
  std::uint32_t logit_rows = 0;     // most rows of logits held at once
  int threads = 1;
  std::uint64_t scratch_floats_per_thread = 0;

  // Byte offsets; each buffer is f32 (columns, block_tokens) unless said otherwise.
  std::uint64_t residual = 0;   // (n_streams * dim, chunk_tokens)
  std::uint64_t normed = 0;     // (dim): input of a block
  std::uint64_t block_out = 0;  // (dim): what a block adds to the residual stream
  std::uint64_t kept = 0;       // (dim): what a layer keeps while a block runs; of some layer kinds only
  std::uint64_t per_layer = 0;  // (n_layers * per_layer_dim, chunk_tokens): each layer's own input
  std::uint64_t workspace = 0;  // what a block needs in between: workspace_bytes, from the start for each
  std::uint64_t workspace_bytes = 0;
  std::uint64_t hyper = 0;     // ((2 + streams) * streams): weights of a hyper-connection
  std::uint64_t streams = 0;   // (dim * streams): the streams to be
  std::uint64_t selected = 0;  // (top_k, chunk_tokens) of the largest indexer
  std::uint64_t hints = 0;     // what is computed to guess the next layer's experts: hint_bytes
  std::uint64_t hint_bytes = 0;
  std::uint64_t adapters = 0;  // A x of an adapter: adapter_bytes
  std::uint64_t adapter_bytes = 0;
  std::uint64_t logits = 0;  // (n_vocab, logit_rows)
  std::uint64_t packed = 0;  // activations packed for a product; packed_bytes
  std::uint64_t packed_bytes = 0;
  std::uint64_t scratch = 0;  // scratch_floats_per_thread floats per thread
  std::uint64_t total_bytes = 0;
};

struct StepLimits {
  std::uint32_t chunk_tokens = 0;
  std::uint32_t block_tokens = 0;  // at most chunk_tokens
  std::uint32_t max_sequences = 1;
  int threads = 1;
  std::uint32_t context_tokens = 0;  // of the longest sequence
  std::span<const spec::AdapterSpec> adapters = {};
};
// The sum of buffers that a block takes one after the other, each a whole number of cache lines. A block and
// the layout count with the same function.
std::uint64_t aligned_bytes(std::uint64_t floats) noexcept;

ComputeLayout make_compute_layout(const spec::ModelSpec& model, const StepLimits& limits);

}  // namespace cistern::plan
