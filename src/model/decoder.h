// The forward pass: token ids in, logits out, for a chunk of one sequence or several sequences' tokens
// together (each weight is read once for all): block after block of them through a layer, then the next
// layer. Declares nothing about requests or text. Uses the arena and
// the caches that the plan sized and allocates nothing in a step. Not thread-safe; it fans out over the
// threads of its Exec.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "kv/cache.h"
#include "model/step.h"
#include "model/weights.h"
#include "ops/exec.h"
#include "plan/compute_layout.h"
#include "spec/model_spec.h"
#include "store/weight_store.h"

namespace cistern::model {

// What a sequence has next: its tokens go to positions cache.length().. of its own cache.
struct SequenceTokens {
  std::span<const std::uint32_t> ids;  // below n_vocab
  kv::Cache* cache = nullptr;
  bool long_rope = false;  // LongRoPE: the sequence outgrew its original context
  // Encoders with token types: how many of the ids are of the first segment of a pair, the rest of the
  // second.
  std::optional<std::uint32_t> first_segment;
  // A model that joins_hidden: for each id the hidden state of the token before, f32 (dim, ids).
  TensorView hidden = {};
};

class Decoder {
 public:
  struct Parts {
    const spec::ModelSpec& model;
    const file::Inventory& inventory;
    store::WeightStore& store;
    const plan::ComputeLayout& layout;
    std::span<std::byte> arena;  // layout.total_bytes
    ops::Exec exec;
    std::span<const Adapter> adapters = {};  // read when the decoder is made; specs and stores stay
  };
  // The parts must outlive the decoder.
  explicit Decoder(const Parts& parts);

  // Runs 1 to chunk_tokens tokens in all, of up to max_sequences different sequences, and advances their
  // caches. A sequence's results do not depend on the others. REQUIRES: no sequence is empty and each fits
  // its context. On an error the caches hold nothing
  // that is of use any more.
  Result<void> forward(std::span<const SequenceTokens> sequences);

  // Logits after rows [first, first + count) of the last forward(), the sequences' tokens in order, count <=
  // logit_rows: n_vocab values each, row after row; valid until the next call. REQUIRES: the model is causal.
  Result<std::span<const float>> logits(std::uint32_t first, std::uint32_t count);

  // Final hidden states of rows [first, first + count), after the model's last norm: f32 (dim, count), valid
  // until the next call. REQUIRES: count <= block_tokens().
  Result<TensorView> hidden(std::uint32_t first, std::uint32_t count);
  std::uint32_t block_tokens() const { return parts_.layout.block_tokens; }

  const ops::Exec& exec() const { return parts_.exec; }

  // What follows pooling. Both read a vector of dim values and may run any time.
  // The dense layers of an embedding, in place; nothing where the model has none.
  Result<void> run_dense_layers(std::span<float> pooled);
  // The classifier's scores, n_labels values, valid until the next call. REQUIRES: has_classifier().
  Result<std::span<const float>> classify(std::span<float> pooled);
  // Whether both layers of a classifier are there.
  bool has_classifier() const;

 private:
  Step step_of(std::uint32_t n_tokens, std::uint32_t first_token = 0) const;
  Step begin_block(std::span<const SequenceTokens> sequences, std::uint32_t first_token);
  Result<void> embed(const Step& step) const;
  Result<void> add_positions_and_types(const Step& step) const;

  Parts parts_;
  ModelWeights weights_;
  std::vector<Segment> segments_;  // of the block at hand; capacity max_sequences
  std::uint32_t n_tokens_ = 0;     // of the last forward()
};

}  // namespace cistern::model
