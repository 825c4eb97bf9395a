// One sequence of tokens in the KV cache: knows which tokens the cache holds, keeps what a new prompt shares
// with them, and feeds the rest in chunks. Also the place where LongRoPE changes sides: when a sequence
// outgrows the original context its keys are computed anew with the long frequencies, so that a result
// depends on the tokens alone and not on how they arrived. Not thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "file/inventory.h"
#include "kv/cache.h"
#include "model/decoder.h"

namespace cistern::engine {

// Keeps a state of its own in step with a sequence: what a layer that predicts further tokens knows of it.
class Follower {
 public:
  virtual ~Follower() = default;
  // `next` is about to be read after `tokens`.
  virtual Result<void> before_chunk(std::span<const std::uint32_t> tokens,
                                    std::span<const std::uint32_t> next) = 0;
  // It was: n rows of the decoder.
  virtual Result<void> after_chunk(std::uint32_t n) = 0;
  // How much of a beginning of `length` tokens it can go on from: all, or one token less.
  virtual std::uint32_t can_keep(std::uint32_t length) const = 0;
  // Only the first `length` tokens stay. Fewer than can_keep() of them go on with the token that was next.
  virtual void cut(std::uint32_t length) = 0;
};

class Sequence {
 public:
  // All must outlive the sequence; `files` are checked for damage after every chunk.
  Sequence(model::Decoder& decoder, kv::Cache& cache, const spec::ModelSpec& model,
           const file::ModelFiles& files);

  // From now on; null: nobody. It must outlive the sequence. REQUIRES: the sequence is empty.
  void set_follower(Follower* follower);

  std::span<const std::uint32_t> tokens() const { return tokens_; }

  // Cuts the cache back to the longest beginning it shares with `prompt`, but not all of it: the last token
  // must be fed for its logits. Returns how many tokens stay.
  std::uint32_t keep_common_prefix(std::span<const std::uint32_t> prompt);
  void clear();

  struct Feeding {
    std::uint32_t chunk_tokens = 0;                          // at most; 0: as the plan has it
    const std::atomic<bool>* cancelled = nullptr;            // looked at between chunks
    std::function<Result<void>(std::uint32_t)> after_chunk;  // called with the number of tokens of each chunk
    std::optional<std::uint32_t> first_segment;  // of an encoder's pair of texts: see model::SequenceTokens
  };
  // Appends `ids` (below n_vocab). kTooLong beyond the context; kCancelled; kIo when the file was damaged.
  // REQUIRES: an encoder's sequence is empty and gets all its tokens at once, in one chunk.
  Result<void> feed(std::span<const std::uint32_t> ids, const Feeding& feeding);

  // Whether n tokens can be fed in one step and taken back again.
  bool can_feed_tentatively(std::size_t n) const;
  // Appends `ids` in one step. REQUIRES: can_feed_tentatively().
  Result<void> feed_tentatively(std::span<const std::uint32_t> ids, const Feeding& feeding);
  // Of the tokens of feed_tentatively() only the first n stay, at least one.
  Result<void> keep(std::uint32_t n, const Feeding& feeding);

  // Logits after the last n tokens fed, at most those of the last chunk and the plan's rows: n_vocab each.
  Result<std::span<const float>> last_logits(std::uint32_t n = 1);

 private:
  Result<void> feed_chunks(std::span<const std::uint32_t> ids, const Feeding& feeding, Follower* follower);

  model::Decoder& decoder_;
  kv::Cache& cache_;
  const spec::ModelSpec& model_;
  const file::ModelFiles& files_;
  std::vector<std::uint32_t> tokens_;  // what the cache holds
  std::uint32_t last_chunk_ = 0;
  kv::Cache::Checkpoint checkpoint_;  // from before the tentative tokens, where there is recurrent state
  bool long_rope_ = false;
  Follower* follower_ = nullptr;
};

}  // namespace cistern::engine
