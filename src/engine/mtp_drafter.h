// Guesses by the model itself: the layer that predicts further tokens (spec::ModelSpec::mtp) reads each token
// with the model's final hidden state of the token before, says what follows, and goes on from its own hidden
// state for the guesses after the first. It follows the sequence with a cache of its own, which lags behind:
// hidden states are kept and read together when guesses are asked for or a chunk of them is there, so that a
// generation that does not guess pays almost nothing. Owned by the Runtime whose parts it uses; not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/drafter.h"
#include "engine/sequence.h"
#include "kv/cache.h"
#include "model/decoder.h"

namespace cistern::engine {

struct Runtime;

class MtpDrafter final : public Drafter, public Follower {
 public:
  // Takes its memory as planned. REQUIRES: the runtime has its decoder, its model an mtp.
  static Result<std::unique_ptr<MtpDrafter>> create(Runtime& runtime);

  // REQUIRES: `history` is the followed sequence's tokens and one more.
  Result<std::span<const text::TokenId>> propose(const TokenHistory& history, std::uint32_t most) override;

  Result<void> before_chunk(std::span<const text::TokenId> tokens,
                            std::span<const text::TokenId> next) override;
  Result<void> after_chunk(std::uint32_t n) override;
  std::uint32_t can_keep(std::uint32_t length) const override;
  void cut(std::uint32_t length) override;

 private:
  MtpDrafter(Runtime& runtime, kv::Cache cache);
  std::uint32_t end() const { return first_ + n_rows_; }
  TensorView hidden_rows(std::uint32_t first, std::uint32_t count) const;
  Result<void> read(std::span<const text::TokenId> ids, const TensorView& hidden);
  Result<void> catch_up(std::span<const text::TokenId> tokens, text::TokenId next);
  Result<void> guess(std::uint32_t most);

  Runtime& runtime_;
  kv::Cache cache_;  // position i: token i + 1 and the hidden state after token i
  model::Decoder layer_;
  std::uint32_t n_read_ = 0;  // at once, last
  // Hidden states of the sequence's positions [first_, first_ + n_rows_): those that wait to be read, and the
  // one before, whose next token may turn out to be another.
  std::uint32_t first_ = 0;
  std::uint32_t n_rows_ = 0;
  std::vector<text::TokenId> ids_;
  std::vector<text::TokenId> guesses_;
};

}  // namespace cistern::engine
