// DRY ("don't repeat yourself", p-e-w, text-generation-webui pull request 5677): a token that would continue
// a repetition of what stands at the end of the text is penalized by multiplier * base^(length - allowed
// length), where length counts the repeated tokens before it. Breakers (line ends, quotes, ...) end a
// repetition, so that the form of a dialogue may repeat. Linear in the history. One object per sequence;
// keeps only scratch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sample/sampler.h"

namespace cistern::sample {

class Dry {
 public:
  Dry(const SamplerOptions& options, std::uint32_t n_vocab);

  // Subtracts the penalties from `logits` (by token id).
  void apply(std::span<float> logits, std::span<const text::TokenId> history);

 private:
  std::size_t tokens_after_last_breaker(std::span<const text::TokenId> text) const;
  void measure_repeats(std::span<const text::TokenId> text);

  float multiplier_;
  float base_;
  std::uint32_t allowed_length_;
  std::uint32_t window_;
  std::vector<bool> single_breakers_;                      // by token id; empty if DRY is off
  std::vector<std::vector<text::TokenId>> long_breakers_;  // of two tokens and more
  std::vector<std::size_t> repeats_;                       // scratch, see measure_repeats
  std::vector<std::size_t> longest_;                       // scratch: by token id, zero between calls
};

}  // namespace cistern::sample
