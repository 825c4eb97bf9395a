// Turns a row of logits into a token: a chain of small pure steps in a documented order, over a candidate
// list. Deterministic: the same options, seed, history and logits give the same token on any machine and
// thread count. One Sampler per sequence; not thread-safe. Knows nothing of models or requests.
//
// The order: logit bias -> penalties (repetition, presence, frequency) -> DRY -> grammar -> top-k -> typical
// -> top-p -> min-p -> XTC -> temperature -> draw. With mirostat: bias -> penalties -> DRY -> grammar ->
// temperature -> mirostat v2. Greedy (temperature 0): bias -> penalties -> DRY -> grammar -> highest logit,
// the lowest id on a tie. The grammar comes after what changes single tokens, so that no bias undoes it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/vocab.h"

namespace cistern::sample {

class Grammar;

struct SamplerOptions {
  float temperature = 0.8F;         // 0: greedy
  std::uint32_t top_k = 40;         // 0: off
  float top_p = 0.95F;              // 1: off
  float min_p = 0.05F;              // 0: off
  float typical_p = 1.0F;           // 1: off
  float repetition_penalty = 1.0F;  // 1: off
  float presence_penalty = 0.0F;
  float frequency_penalty = 0.0F;
  std::uint32_t penalty_window = 64;  // tokens looked back at; 0: none
  float dry_multiplier = 0.0F;        // 0: off
  float dry_base = 1.75F;
  std::uint32_t dry_allowed_length = 2;
  std::uint32_t dry_window = 0;                            // 0: the whole history
  std::vector<std::vector<text::TokenId>> dry_breakers{};  // sequences that end a match
  float xtc_probability = 0.0F;                            // 0: off
  float xtc_threshold = 0.1F;
  bool mirostat = false;  // mirostat v2; replaces the truncating steps
  float mirostat_tau = 5.0F;
  float mirostat_eta = 0.1F;
  std::vector<std::pair<text::TokenId, float>> logit_bias{};
  std::uint64_t seed = 0;
};

// kUsage, naming the option, when a value makes no sense (NaN, negative, ids beyond the vocabulary).
Result<void> validate(const SamplerOptions& options, std::uint32_t n_vocab);

class Sampler {
 public:
  // REQUIRES: validate(options, n_vocab) succeeded. `history`: tokens that penalties already see (the
  // prompt). `grammar`: what the tokens have to write (grammar.h); null: anything.
  Sampler(SamplerOptions options, std::uint32_t n_vocab, std::span<const text::TokenId> history,
          std::shared_ptr<const Grammar> grammar = nullptr);
  Sampler(Sampler&&) noexcept;
  ~Sampler();

  // The next token, which also joins the history. NaN logits count as minus infinity.
  text::TokenId next(std::span<const float> logits);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cistern::sample
