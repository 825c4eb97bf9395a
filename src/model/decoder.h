// The forward pass: token ids in, logits out, for a chunk of one sequence or several sequences' tokens
// together (each weight is read once for all). Declares nothing about requests or text. Uses the arena and
// the caches that the plan sized and allocates nothing in a step. Not thread-safe; it fans out over the
// threads of its Exec.
#pragma once

#include <cstdint>
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
  };
  // The parts must outlive the decoder.
  explicit Decoder(const Parts& parts);

  // Runs 1 to chunk_tokens tokens in all, of up to max_sequences different sequences, and advances their
  // caches. A sequence's results do not depend on the others. REQUIRES: no sequence is empty and each fits
  // its context. On an error the caches are as before.
  Result<void> forward(std::span<const SequenceTokens> sequences);

  // Logits after rows [first, first + count) of the last forward(), the sequences' tokens in order, count <=
  // logit_rows: n_vocab values each, row after row; valid until the next call.
  Result<std::span<const float>> logits(std::uint32_t first, std::uint32_t count);

 private:
  Result<void> embed(const Step& step, std::span<const SequenceTokens> sequences);
  Step step_of(std::uint32_t n_tokens) const;

  Parts parts_;
  ModelWeights weights_;
  std::vector<Segment> segments_;  // of the step at hand; capacity max_sequences
  std::uint32_t n_tokens_ = 0;     // of the last forward()
};

}  // namespace cistern::model
